// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { BtfBuilder } from "../btf/btf-builder.ts";
import { readBtf } from "../btf/read-btf.ts";
import { BtfKind } from "../btf/types.ts";
import { signatureDifference } from "./signature-difference.ts";

/** Prototypes by name, over int, `struct task_struct` and pointers to it. */
function declarations() {
  const builder = new BtfBuilder();
  const int = builder.add({
    kind: BtfKind.INT,
    name: "int",
    size: 4,
    bits: 32,
    bitOffset: 0,
    signed: true,
    char: false,
    bool: false,
  });
  const task = builder.add({ kind: BtfKind.STRUCT, name: "task_struct", size: 0, members: [] });
  const constant = builder.add({ kind: BtfKind.CONST, name: "", type: task });
  const pointer = builder.add({ kind: BtfKind.PTR, name: "", type: task });
  const constantPointer = builder.add({ kind: BtfKind.PTR, name: "", type: constant });
  const forward = builder.add({ kind: BtfKind.FWD, name: "task_struct", union: false });
  const forwardPointer = builder.add({ kind: BtfKind.PTR, name: "", type: forward });
  const twice = builder.add({ kind: BtfKind.PTR, name: "", type: pointer });
  const prototype = (returns: number, ...parameters: readonly number[]): number =>
    builder.add({
      kind: BtfKind.FUNC_PROTO,
      name: "",
      returns,
      parameters: parameters.map((type, i) => ({ name: `p${i}`, type })),
    });
  const ids = {
    int,
    pointer,
    twice,
    acquire: prototype(pointer, pointer, int),
    acquireConstant: prototype(pointer, constantPointer, int),
    acquireForward: prototype(forwardPointer, forwardPointer, int),
    one: prototype(pointer, pointer),
    swapped: prototype(pointer, int, pointer),
    nothing: prototype(0, pointer, int),
  };
  return { ids, btf: readBtf(builder.build()) };
}

describe("signatureDifference", () => {
  const { ids, btf } = declarations();

  it("finds none between what is alike but for qualifiers", () => {
    expect(signatureDifference(btf, ids.acquire, btf, ids.acquire)).toBeUndefined();
    expect(signatureDifference(btf, ids.acquire, btf, ids.acquireConstant)).toBeUndefined();
    expect(signatureDifference(btf, ids.acquireForward, btf, ids.acquire)).toBeUndefined();
    expect(signatureDifference(btf, ids.acquire, btf, ids.acquireForward)).toBeUndefined();
    expect(signatureDifference(btf, ids.pointer, btf, ids.pointer)).toBeUndefined();
  });

  it.each([
    ["one", "it is declared with 2 parameters, in the kernel it has 1"],
    ["swapped", "its parameter 1 is declared as struct task_struct *, in the kernel int"],
    ["nothing", "it is declared to return struct task_struct *, in the kernel void"],
    ["int", "it is declared as struct task_struct * (struct task_struct *, int), in the kernel int"],
  ] as const)("says what differs from %s", (name, words) => {
    expect(signatureDifference(btf, ids.acquire, btf, ids[name])).toBe(words);
  });

  it("tells functions of functions shortly", () => {
    const builder = new BtfBuilder();
    let type = 0;
    for (let level = 0; level < 40; level++) {
      const parameters = Array.from({ length: 100 }, () => ({ name: "", type }));
      const prototype = builder.add({ kind: BtfKind.FUNC_PROTO, name: "", returns: 0, parameters });
      type = builder.add({ kind: BtfKind.PTR, name: "", type: prototype });
    }
    const words = signatureDifference(readBtf(builder.build()), type, btf, ids.int);
    expect(words?.length).toBeLessThan(20_000);
    expect(words).toMatch(/^it is declared as void \(void \(.*…/);
  });

  it("compares the types of variables", () => {
    expect(signatureDifference(btf, ids.twice, btf, ids.pointer)).toBe(
      "it is declared as struct task_struct **, in the kernel struct task_struct *",
    );
  });
});
