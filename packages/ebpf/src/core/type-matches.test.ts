// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BtfBuilder } from "../btf/btf-builder.ts";
import { readBtf, readSplitBtf } from "../btf/read-btf.ts";
import { BtfKind } from "../btf/types.ts";
import { TestBtf } from "../columns/btf/btf.test-kit.ts";
import { InvalidValueError } from "../errors.ts";
import { Instructions } from "../instruction.ts";
import { parseObject } from "../parse-object.ts";
import type { ProgramSpec } from "../program-spec.ts";
import { applyCoreRelocations } from "./apply-core-relocations.ts";
import { CoreRelocationKind } from "./relocation-kind.ts";
import { typeMatches } from "./type-matches.ts";

const core = parseObject(new Uint8Array(readFileSync(new URL("../../test-objects/core.bpf.o", import.meta.url))));

/** `struct task { int pid; struct task *next; enum state state; char comm[16]; }` with whatever `change` does to it. */
function task(change: Partial<Record<"pid" | "next" | "state" | "comm" | "more" | "name", string>> = {}) {
  const btf = new TestBtf();
  const int =
    change.pid === "unsigned" ? btf.int("int", 4) : btf.int("int", change.pid === "wide" ? 8 : 4, { signed: true });
  const other = change.next === "union" ? btf.union("other", []) : btf.struct("other", [{ name: "a", type: int }]);
  const values = ["BUSY", "IDLE", ...(change.state === "more" ? ["GONE"] : [])];
  const state = btf.enumeration(
    "state",
    change.state === "wide" ? 8 : 4,
    false,
    values.slice(change.state === "less" ? 1 : 0).map((name, value) => ({ name, value: value + 10 })),
  );
  const pointer =
    change.next === "forward"
      ? btf.pointer(btf.add({ kind: BtfKind.FWD, name: "other", union: false }))
      : btf.pointer(change.next === "integer" ? int : other);
  const members = [
    { name: change.name ?? "pid", type: btf.typedef("pid_t", int) },
    { name: "next", type: pointer },
    { name: "state", type: state },
    { name: "comm", type: btf.array(btf.int("char", 1), change.comm === "long" ? 32 : 16) },
  ];
  const more = change.more === undefined ? [] : [{ name: "more", type: int }];
  return { btf, id: btf.struct("task", [...more, ...members]) };
}

describe("typeMatches", () => {
  const local = task();
  it.each([
    ["the same type", {}, true],
    ["more members, in another order", { more: "yes" }, true],
    ["a forward declaration behind a pointer", { next: "forward" }, true],
    ["more values of an enum", { state: "more" }, true],
    ["an enum of another size", { state: "wide" }, true],
    ["an enum without one of the values", { state: "less" }, false],
    ["an integer of another sign", { pid: "unsigned" }, false],
    ["an integer of another size", { pid: "wide" }, false],
    ["a longer array", { comm: "long" }, false],
    ["a pointer to something else", { next: "integer" }, false],
    ["a pointer to a union of that name", { next: "union" }, false],
    ["a member of another name", { name: "tgid" }, false],
  ])("%s: %o %s", (_, change, expected) => {
    const target = task(change);
    expect(typeMatches(local.btf, local.id, target.btf, target.id)).toBe(expected);
  });

  it("does not take a target with fewer members", () => {
    const target = task({ more: "yes" });
    expect(typeMatches(target.btf, target.id, local.btf, local.id)).toBe(false);
  });

  it("ends for types that hold each other in more ways than can be counted", () => {
    const deep = (leaf: string) => {
      const btf = new TestBtf();
      let id = btf.int(leaf, 4);
      for (let level = 0; level < 30; level++) {
        const type = id;
        id = btf.struct(
          "level",
          Array.from({ length: 8 }, () => ({ name: "same", type })),
        );
      }
      return { btf, id };
    };
    const a = deep("int");
    const b = deep("long");
    expect(typeMatches(a.btf, a.id, b.btf, b.id)).toBe(false);
    expect(typeMatches(a.btf, a.id, a.btf, a.id)).toBe(true);
  });
});

/** The program `questions`, whose question whether `widget` has a size becomes one whether it matches. */
function asking(kind: number): { program: ProgramSpec; slot: number } {
  const questions = core.programs.get("questions") as ProgramSpec;
  const question = questions.coreRelocations.find((relocation) => relocation.kind === CoreRelocationKind.TYPE_SIZE);
  if (question === undefined) throw new Error("no such question");
  return {
    program: { ...questions, coreRelocations: [{ ...question, kind }] },
    slot: question.instruction,
  };
}

describe("applyCoreRelocations", () => {
  const local = readBtf(core.btf?.bytes ?? new Uint8Array());

  it("answers whether a type matches the kernel's", () => {
    const { program, slot } = asking(CoreRelocationKind.TYPE_MATCHES);
    const answer = (target: TestBtf | typeof local) =>
      new Instructions(applyCoreRelocations(program, local, target), "little").immediate(slot);
    // The compiler had no answer to this question: the instruction holds the size, which must not be checked.
    const other = new TestBtf();
    other.struct("widget", [{ name: "id", type: other.int("unsigned int", 4) }]);
    const sized = new Instructions(program.instructions.slice(), "little");
    sized.setImmediate(slot, 1);
    const patched = { ...program, instructions: sized.bytes };
    const answerTo = (target: TestBtf | typeof local) =>
      new Instructions(applyCoreRelocations(patched, local, target), "little").immediate(slot);
    expect(answerTo(local)).toBe(1);
    expect(answerTo(other)).toBe(0);
    expect(answerTo(new TestBtf())).toBe(0);
    expect(() => answer(local)).toThrow(InvalidValueError);
  });

  it("finds types in modules, and sees those of their base once", () => {
    const kernel = new BtfBuilder();
    kernel.add({
      ...{ kind: BtfKind.INT, name: "unsigned int", size: 4, bits: 32, bitOffset: 0 },
      ...{ signed: false, char: false, bool: false },
    });
    const base = readBtf(kernel.build());
    const builder = new BtfBuilder("little", base);
    const member = (bitOffset: number) => [{ name: "id", type: 1, bitOffset, bitSize: 0 }];
    builder.add({ kind: BtfKind.STRUCT, name: "widget", size: 64, members: member(96) });
    const module = readSplitBtf(builder.build(), base);
    const fields = core.programs.get("fields") as ProgramSpec;
    const [first] = fields.coreRelocations;
    const program = { ...fields, coreRelocations: first === undefined ? [] : [first] };
    const at = (more: (typeof base)[]) =>
      new Instructions(applyCoreRelocations(program, local, base, more), "little").offset(first?.instruction ?? 0);
    expect(at([module])).toBe(12);
    expect(at([module, module])).toBe(12);
    const elsewhere = new BtfBuilder("little", base);
    elsewhere.add({ kind: BtfKind.STRUCT, name: "widget", size: 64, members: member(128) });
    expect(() => at([module, readSplitBtf(elsewhere.build(), base)])).toThrow("ambiguous relocation");
  });

  it("poisons the question for the id of a module's type", () => {
    const { program, slot } = asking(CoreRelocationKind.TYPE_ID_TARGET);
    const module = new TestBtf();
    module.struct("widget", []);
    const code = new Instructions(applyCoreRelocations(program, local, new TestBtf(), [module]), "little");
    expect([code.opcode(slot), code.immediate(slot)]).toEqual([0x85, 0xbad2310]);
  });
});
