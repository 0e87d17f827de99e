// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import type { Btf } from "../btf/btf.ts";
import { BtfBuilder } from "../btf/btf-builder.ts";
import { readBtf, readSplitBtf } from "../btf/read-btf.ts";
import { BtfKind } from "../btf/types.ts";
import { InvalidValueError } from "../errors.ts";
import { Instructions, Opcode } from "../instruction.ts";
import type { ProgramSpec } from "../program-spec.ts";
import { applyCoreRelocations } from "./apply-core-relocations.ts";
import { CoreRelocationKind } from "./relocation-kind.ts";

const int = { kind: BtfKind.INT, name: "int", size: 4, bits: 32, bitOffset: 0, signed: true, char: false, bool: false };

/** `struct NAME` whose fields are ints, one after the other; `type` is that of int. */
function struct(name: string, fields: readonly string[], type: number) {
  const members = fields.map((field, i) => ({ name: field, type, bitOffset: i * 32, bitSize: 0 }));
  return { kind: BtfKind.STRUCT, name, size: fields.length * 4, members } as const;
}

/** Types of a kernel, or over those of another; each entry is a struct's name and its fields. */
function types(structs: Readonly<Record<string, readonly string[]>>, base?: Btf): Btf {
  const builder = new BtfBuilder("little", base);
  const id = base === undefined ? builder.add(int) : 1;
  for (const [name, fields] of Object.entries(structs)) builder.add(struct(name, fields, id));
  const bytes = builder.build();
  return base === undefined ? readBtf(bytes) : readSplitBtf(bytes, base);
}

/** As the object was compiled: `widget` is type 2, `gadget` is type 3. */
const local = types({ widget: ["first", "second"], gadget: ["only"] });
const kernel = types({ other: ["x"], gadget: ["y", "only"] });

/** `r0 = offset of widget.second`, `r0 = offset of gadget.only`, and whatever else is asked of widget. */
function program(...kinds: readonly number[]): ProgramSpec {
  const questions = [
    { typeId: 2, access: "0:1", kind: CoreRelocationKind.FIELD_BYTE_OFFSET, value: 4 },
    { typeId: 3, access: "0:0", kind: CoreRelocationKind.FIELD_BYTE_OFFSET, value: 0 },
    ...kinds.map((kind) => ({ typeId: 2, access: "0", kind, value: kind === CoreRelocationKind.TYPE_SIZE ? 8 : 1 })),
  ];
  const code = new Instructions(new Uint8Array(questions.length * 8), "little");
  questions.forEach(({ value }, slot) => {
    code.setOpcode(slot, 0xb7);
    code.setImmediate(slot, value);
  });
  return {
    name: "main",
    section: "",
    type: 1,
    expectedAttachType: 0,
    flags: 0,
    attachTo: "",
    target: undefined,
    instructions: code.bytes,
    mapReferences: [],
    externReferences: [],
    coreRelocations: questions.map(({ value: _, ...relocation }, instruction) => ({ ...relocation, instruction })),
    functionInfo: [],
    lineInfo: [],
    license: "",
    kernelVersion: 0,
  };
}

function answers(target: Btf, more: Iterable<Btf>, ...kinds: readonly number[]): (number | "poisoned")[] {
  const code = new Instructions(applyCoreRelocations(program(...kinds), local, target, more), "little");
  return Array.from({ length: code.length }, (_, slot) =>
    code.opcode(slot) === Opcode.CALL ? "poisoned" : code.immediate(slot),
  );
}

describe("CO-RE against types of modules", () => {
  const { TYPE_SIZE, TYPE_EXISTS, TYPE_ID_TARGET } = CoreRelocationKind;
  const module = types({ widget: ["zero", "first", "second"] }, kernel);

  it("answers what the kernel itself has no type for", () => {
    expect(answers(kernel, [], TYPE_EXISTS)).toEqual(["poisoned", 4, 0]);
    expect(answers(kernel, [types({ unrelated: ["x"] }, kernel), module], TYPE_SIZE, TYPE_EXISTS)).toEqual([
      8, 4, 12, 1,
    ]);
  });

  it("does not give away ids that the kernel would take for others", () => {
    expect(answers(kernel, [module], TYPE_ID_TARGET)).toEqual([8, 4, "poisoned"]);
  });

  it("does not look at modules while the kernel's own types satisfy", () => {
    const satisfying = types({ widget: ["first", "second"], gadget: ["only"] });
    const modules = {
      // biome-ignore lint/correctness/useYield: it is not to be walked.
      *[Symbol.iterator](): Generator<Btf> {
        throw new Error("the modules were looked at");
      },
    };
    expect(answers(satisfying, modules, TYPE_EXISTS)).toEqual([4, 0, 1]);
    expect(() => answers(kernel, modules)).toThrow("the modules were looked at");
  });

  it("prefers the type that has the fields", () => {
    const without = types({ widget: ["first"], gadget: ["only"] });
    const split = types({ widget: ["a", "b", "c", "second"] }, without);
    expect(answers(without, [split])).toEqual([12, 0]);
  });

  it("keeps to the kernel's own type while a module's answers no more, and other", () => {
    // Neither has what is asked for: a name that both have is no reason to refuse the program.
    const without = types({ widget: ["first"], gadget: ["only"] });
    const module = types({ widget: ["a", "b", "c"] }, without);
    expect(answers(without, [], TYPE_SIZE)).toEqual(["poisoned", 0, 4]);
    expect(answers(without, [module], TYPE_SIZE)).toEqual(["poisoned", 0, 4]);
  });

  it("takes modules that agree, and refuses those that do not", () => {
    const same = types({ widget: ["other", "first", "second"] }, kernel);
    expect(answers(kernel, [module, same])).toEqual([8, 4]);
    const another = types({ widget: ["second"] }, kernel);
    expect(() => answers(kernel, [module, another])).toThrow(InvalidValueError);
    expect(() => answers(kernel, [module, another])).toThrow("byte offset of widget.second: ambiguous");
  });

  it("refuses a bitfield of a type without bytes", () => {
    const builder = new BtfBuilder("little");
    builder.add(int);
    builder.add({ kind: BtfKind.ARRAY, name: "", element: 1, index: 1, length: 0 });
    const members = ["first", "second"].map((name) => ({ name, type: 2, bitOffset: 0, bitSize: 3 }));
    builder.add({ kind: BtfKind.STRUCT, name: "widget", size: 4, members });
    const target = readBtf(builder.build());
    const { typeCount } = target;
    const own = { ...program(), coreRelocations: [{ instruction: 0, typeId: typeCount - 1, access: "0:1", kind: 0 }] };
    expect(() => applyCoreRelocations(own, target, target)).toThrow('the type of bitfield "second" has no bytes');
  });

  it("leaves out a module whose types are broken", () => {
    const builder = new BtfBuilder("little", kernel);
    builder.add(struct("widget", ["first", "second"], 99));
    const broken = readSplitBtf(builder.build(), kernel);
    expect(() => broken.sizeOf(99)).toThrow();
    expect(answers(kernel, [broken, module])).toEqual([8, 4]);
    expect(answers(kernel, [broken])).toEqual(["poisoned", 4]);
  });
});
