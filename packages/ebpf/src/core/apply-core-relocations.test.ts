// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBtf } from "../btf/read-btf.ts";
import { TestBtf, type TestMember } from "../columns/btf/btf.test-kit.ts";
import { InvalidValueError, MalformedError, NotSupportedError } from "../errors.ts";
import { Instructions } from "../instruction.ts";
import { parseObject } from "../parse-object.ts";
import type { CoreRelocation, ProgramSpec } from "../program-spec.ts";
import { applyCoreRelocations } from "./apply-core-relocations.ts";
import { CoreRelocationKind } from "./relocation-kind.ts";

const POISON = 0xbad2310;

const core = parseObject(new Uint8Array(readFileSync(new URL("../../test-objects/core.bpf.o", import.meta.url))));
const local = core.btf!;

/** A kernel whose types are made by hand. */
function kernel(byteOrder: "little" | "big" = "little") {
  const btf = new TestBtf(byteOrder);
  return {
    btf,
    u8: btf.int("unsigned char", 1),
    u16: btf.int("unsigned short", 2),
    u32: btf.int("unsigned int", 4),
    s32: btf.int("int", 4, { signed: true }),
    u64: btf.int("unsigned long", 8),
  };
}

/** The types of core.bpf.c as a newer kernel might have them; `more` comes before the fields of widget. */
function movedKernel(more: (types: ReturnType<typeof kernel>) => TestMember[] = () => []) {
  const types = kernel();
  const { btf, u8, u16, u32, u64, s32 } = types;
  const point = btf.struct("point", [
    { name: "z", type: s32 },
    { name: "y", type: s32 },
    { name: "x", type: s32 },
  ]);
  const inner = btf.union("", [
    { name: "owner", type: btf.pointer(0) },
    { name: "serial", type: u64 },
  ]);
  const outer = btf.struct("", [{ name: "", type: inner }]);
  const widget = btf.struct("widget", [
    ...more(types),
    { name: "last", type: u32 },
    { name: "tag", type: btf.typedef("tag_t", u16) },
    { name: "", type: outer },
    { name: "corners", type: btf.array(btf.constant(point), 8) },
    { name: "level", type: u32, bitSize: 3 },
    { name: "id", type: u32 },
    { name: "flag_a", type: u8 },
  ]);
  btf.enumeration("state", 4, false, [
    { name: "STATE_BUSY", value: 77 },
    { name: "STATE_IDLE", value: 1 },
  ]);
  return { ...types, widget };
}

function program(name: string): ProgramSpec {
  return core.programs.get(name)!;
}

/** The immediates that a program stores into result[], in order of the instructions that have relocations. */
function relocated(name: string, target: TestBtf): Instructions {
  return new Instructions(applyCoreRelocations(program(name), local, target), "little");
}

function offsetOf(btf: TestBtf, type: number, field: string): number {
  const composite = btf.typeById(type);
  const member = "members" in composite ? composite.members.find(({ name }) => name === field) : undefined;
  return (member?.bitOffset ?? Number.NaN) / 8;
}

describe("applyCoreRelocations", () => {
  it("changes nothing against the types that the object was compiled with", () => {
    // Not so for bitfields: clang reads 8 bytes where fewer will do.
    for (const name of ["fields", "guarded"]) {
      expect(applyCoreRelocations(program(name), local, readBtf(local.bytes))).toEqual(program(name).instructions);
    }
  });

  it("moves loads to where the fields are, through anonymous structs and arrays", () => {
    const { btf, widget } = movedKernel();
    const code = relocated("fields", btf);
    const [id, serial, y, tag, last] = program("fields").coreRelocations.map(({ instruction }) =>
      code.offset(instruction),
    );
    expect(id).toBe(offsetOf(btf, widget, "id"));
    expect(serial).toBe(8);
    expect(y).toBe(offsetOf(btf, widget, "corners") + 2 * 12 + 4);
    expect(tag).toBe(offsetOf(btf, widget, "tag"));
    expect(last).toBe(0);
  });

  it("follows the fields wherever other ones push them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4000 }), fc.boolean(), (bytes, wide) => {
        const { btf, widget } = movedKernel(({ u8, u64, btf: types }) =>
          wide
            ? [{ name: "pad", type: types.array(u64, bytes >> 3) }]
            : [{ name: "pad", type: types.array(u8, bytes) }],
        );
        const code = relocated("fields", btf);
        const [first] = program("fields").coreRelocations;
        expect(code.offset(first!.instruction)).toBe(offsetOf(btf, widget, "id"));
      }),
      { numRuns: 50 },
    );
  });

  it("widens and narrows loads of unsigned fields with them", () => {
    const { btf, u64, u16 } = kernel();
    btf.struct("widget", [
      { name: "id", type: u64 },
      { name: "serial", type: u16 },
    ]);
    const code = relocated("fields", btf);
    const [id, serial] = program("fields").coreRelocations.map(({ instruction }) => code.opcode(instruction));
    expect(id).toBe(0x79);
    expect(serial).toBe(0x69);
  });

  it("poisons a load whose signed field has another width", () => {
    const { btf, u64 } = kernel();
    const s64 = btf.int("long", 8, { signed: true });
    const point = btf.struct("point", [{ name: "y", type: s64 }]);
    btf.struct("widget", [
      { name: "corners", type: btf.array(point, 4) },
      { name: "id", type: u64 },
    ]);
    const code = relocated("fields", btf);
    const slot = program("fields").coreRelocations[2]!.instruction;
    expect([code.opcode(slot), code.immediate(slot)]).toEqual([0x85, POISON]);
  });

  it("answers questions about fields, types and enum values", () => {
    const { btf, widget } = movedKernel();
    const code = relocated("questions", btf);
    const answers = new Map(
      program("questions").coreRelocations.map(({ instruction, kind, access, typeId }) => [
        `${kind} ${local.typeById(typeId).name} ${access}`,
        code.opcode(instruction) === 0x18 ? code.immediate64(instruction) : BigInt(code.immediate(instruction)),
      ]),
    );
    expect(answers.get("2 widget 0:5")).toBe(1n);
    expect(answers.get("2 widget___old 0:0")).toBe(0n);
    expect(answers.get("1 widget 0:2")).toBe(96n);
    expect(answers.get("8 absent 0")).toBe(0n);
    expect(answers.get("9 widget 0")).toBe(BigInt(btf.sizeOf(widget)));
    expect(answers.get("7 widget 0")).toBe(BigInt(widget));
    expect(answers.get("6 widget 0")).toBe(BigInt(local.idsByName("widget")[0]!));
    expect(answers.get("10 state 1")).toBe(1n);
    expect(answers.get("11 state 1")).toBe(77n);
  });

  it("computes where a bitfield's bits are", () => {
    const { btf, widget } = movedKernel();
    const composite = btf.typeById(widget);
    const level = "members" in composite ? composite.members.find(({ name }) => name === "level")! : undefined;
    const code = relocated("bits", btf);
    const byKind = new Map(
      program("bits").coreRelocations.map(({ instruction, kind }) => [kind, code.immediate(instruction)]),
    );
    const byteOffset = Math.floor(level!.bitOffset / 32) * 4;
    expect(byKind.get(CoreRelocationKind.FIELD_BYTE_OFFSET)).toBe(byteOffset);
    expect(byKind.get(CoreRelocationKind.FIELD_BYTE_SIZE)).toBe(4);
    expect(byKind.get(CoreRelocationKind.FIELD_LSHIFT_U64)).toBe(64 - (level!.bitOffset - byteOffset * 8) - 3);
    expect(byKind.get(CoreRelocationKind.FIELD_RSHIFT_U64)).toBe(61);
    expect(byKind.get(CoreRelocationKind.FIELD_SIGNED)).toBe(0);
  });

  it("poisons what no candidate has, so that only a check for it keeps the program loadable", () => {
    const { btf } = kernel();
    const code = relocated("guarded", btf);
    const [exists, load] = program("guarded").coreRelocations;
    expect(code.immediate(exists!.instruction)).toBe(0);
    expect([code.opcode(load!.instruction), code.immediate(load!.instruction)]).toEqual([0x85, POISON]);
    const questions = relocated("questions", btf);
    const value = program("questions").coreRelocations.find(({ kind }) => kind === CoreRelocationKind.ENUMVAL_VALUE)!;
    expect([questions.destination(value.instruction), questions.immediate64(value.instruction)]).toEqual([
      10,
      BigInt(POISON),
    ]);
  });

  it("takes the candidate that leaves the fewest relocations unanswered", () => {
    const { btf, widget, u32 } = movedKernel();
    btf.struct("widget", [{ name: "id", type: u32 }]);
    btf.union("widget", [{ name: "id", type: u32 }]);
    const code = relocated("fields", btf);
    const [first] = program("fields").coreRelocations;
    expect(code.offset(first!.instruction)).toBe(offsetOf(btf, widget, "id"));
  });

  it("refuses candidates that are equally good and disagree, naming program, instruction and field", () => {
    const { btf, u32, u64 } = kernel();
    btf.struct("widget", [{ name: "id", type: u32 }]);
    btf.struct("widget", [
      { name: "more", type: u64 },
      { name: "id", type: u32 },
    ]);
    expect(() => relocated("fields", btf)).toThrow(InvalidValueError);
    expect(() => relocated("fields", btf)).toThrow(
      /program "fields", instruction \d+: byte offset of widget\.id: ambiguous relocation/,
    );
  });

  it("accepts candidates that agree", () => {
    const { btf, u32 } = kernel();
    for (let i = 0; i < 2; i++) btf.struct("widget", [{ name: "id", type: u32 }]);
    expect(() => relocated("fields", btf)).not.toThrow();
  });

  it("does not take a field of an incompatible type", () => {
    const { btf, u32 } = kernel();
    btf.struct("widget", [{ name: "id", type: btf.pointer(u32) }]);
    const code = relocated("fields", btf);
    const slot = program("fields").coreRelocations[0]!.instruction;
    expect(code.opcode(slot)).toBe(0x85);
  });

  it("refuses an offset that a load cannot hold", () => {
    const { btf } = movedKernel(({ btf: types, u8 }) => [{ name: "pad", type: types.array(u8, 40_000) }]);
    expect(() => relocated("fields", btf)).toThrow(/does not fit in 16 bits/);
  });

  it.each<[string, Partial<CoreRelocation>, new (...args: never[]) => Error]>([
    ["an access that is no list of numbers", { access: "0:x" }, MalformedError],
    ["a member that does not exist", { access: "0:99" }, MalformedError],
    ["a path through an integer", { access: "0:0:1" }, MalformedError],
    ["an element past the end of an array", { access: "0:2:4:0" }, MalformedError],
    ["an access without an end", { access: Array.from({ length: 65 }, () => "0").join(":") }, MalformedError],
    ["a type that does not exist", { typeId: 9999 }, MalformedError],
    ["an instruction past the end", { instruction: 9999 }, MalformedError],
    ["an instruction without room for the value", { instruction: 15 }, InvalidValueError],
    ["kinds of the future", { kind: 99 }, NotSupportedError],
  ])("refuses %s", (_, change, type) => {
    const spec = program("fields");
    const broken = { ...spec, coreRelocations: [{ ...spec.coreRelocations[0]!, ...change }] };
    expect(() => applyCoreRelocations(broken, local, local)).toThrow(type);
    expect(() => applyCoreRelocations(broken, local, local)).toThrow(/program "fields"/);
  });

  it("refuses an instruction that does not hold what the object's types say", () => {
    const spec = program("fields");
    const instructions = spec.instructions.slice();
    new Instructions(instructions, "little").setOffset(spec.coreRelocations[0]!.instruction, 44);
    expect(() => applyCoreRelocations({ ...spec, instructions }, local, local)).toThrow(
      "byte offset of widget.id: its offset is 44, the object's types say 0",
    );
  });
});

const vmlinux = "/sys/kernel/btf/vmlinux";

describe.runIf(existsSync(vmlinux))("applyCoreRelocations against the running kernel", () => {
  it("finds the fields of task_struct and linux_binprm", () => {
    const { programs, btf } = parseObject(
      new Uint8Array(readFileSync(new URL("../../test-objects/kernel-core.bpf.o", import.meta.url))),
    );
    const target = readBtf(new Uint8Array(readFileSync(vmlinux)));
    const spec = programs.get("on_exec")!;
    const code = new Instructions(applyCoreRelocations(spec, btf!, target), "little");
    const find = (type: string, field: string) => {
      const composite = target.typeById(target.idsByName(type).find((id) => "members" in target.typeById(id))!);
      return "members" in composite ? composite.members.find(({ name }) => name === field)!.bitOffset / 8 : 0;
    };
    const offsets = spec.coreRelocations.map(({ instruction }) => code.offset(instruction));
    expect(offsets).toContain(find("task_struct", "real_parent"));
    expect(offsets).toContain(find("task_struct", "tgid"));
    expect(offsets).toContain(find("linux_binprm", "filename"));
  });
});
