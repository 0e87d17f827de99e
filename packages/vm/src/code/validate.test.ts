// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { validated } from "./code.test-kit.ts";
import { Code } from "./code.ts";
import { validate } from "./validate.ts";

const rules = {
  packets: false,
  helperProblem: (id: number) => (id === 999 ? "there is no helper 999" : undefined),
  functionProblem: () => "there are no functions of a kernel",
};

/** Slots as in the standard: opcode, destination, source, offset, immediate. */
type Slot = readonly [opcode: number, destination?: number, source?: number, offset?: number, immediate?: number];

function check(...slots: readonly Slot[]): void {
  const bytes = new Uint8Array(slots.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, [opcode, destination = 0, source = 0, offset = 0, immediate = 0]] of slots.entries()) {
    bytes[8 * i] = opcode;
    bytes[8 * i + 1] = (source << 4) | destination;
    view.setInt16(8 * i + 2, offset, true);
    view.setInt32(8 * i + 4, immediate, true);
  }
  validate("p", new Code(bytes), rules);
}

const exit: Slot = [0x95];

describe("validate", () => {
  it.for<readonly [problem: string, slots: readonly Slot[]]>([
    ["instruction 0: there are no instructions", []],
    ["instruction 0: there is no opcode 0xe7", [[0xe7], exit]],
    ["instruction 1: there is no opcode 0xff", [[0xb7], [0xff], exit]],
    ["there is no register r11", [[0xb7, 11], exit]],
    ["there is no register r12", [[0xbf, 0, 12], exit]],
    ["r10 is written", [[0xb7, 10], exit]],
    ["r10 is written", [[0x79, 10, 1], exit]],
    ["fields that this instruction does not use are not 0", [[0xb7, 0, 1], exit]],
    ["fields that this instruction does not use are not 0", [[0x0f, 0, 1, 0, 5], exit]],
    ["fields that this instruction does not use are not 0", [[0x95, 0, 0, 1]]],
    ["fields that this instruction does not use are not 0", [[0x07, 0, 0, 7, 5], exit]],
    ["a sign extension from 24 bits", [[0xbf, 0, 1, 24], exit]],
    ["a byte swap of 24 bits", [[0xdc, 0, 0, 0, 24], exit]],
    ["its second half is missing", [[0x18]]],
    ["its second half is missing", [[0x18], exit]],
    ["it jumps to slot 9, out of its function", [[0x05, 0, 0, 8], exit]],
    ["it jumps to slot -1, out of its function", [[0x05, 0, 0, -2], exit]],
    ["into the middle of an instruction", [[0x05, 0, 0, 1], [0x18], [0], exit]],
    ["the function does not end here", [[0xb7]]],
    ["the function does not end here", [[0x85, 0, 1, 0, 1], exit, [0xb7]]],
    ["it names a function at slot 7, where no instruction begins", [[0x85, 0, 1, 0, 6], exit]],
    ["it jumps to slot 3, out of its function", [[0x85, 0, 1, 0, 2], [0x05, 0, 0, 1], exit, exit]],
    ["calls may not recur", [[0x85, 0, 1, 0, -1], exit]],
    ["there is no helper 999", [[0x85, 0, 0, 0, 999], exit]],
    ["there are no functions of a kernel", [[0x85, 0, 2, 0, 1], exit]],
    ["8 bytes at r10+0", [[0x7b, 10, 1, 0], exit]],
    ["8 bytes at r10-4", [[0x7b, 10, 1, -4], exit]],
    ["1 bytes at r10-513", [[0x73, 10, 1, -513], exit]],
    ["there is no atomic operation 0x20", [[0xdb, 1, 2, 0, 0x20], exit]],
    ["there is no opcode 0xd3", [[0xd3, 1, 2, 0, 0], exit]],
    ["it loads from a packet", [[0x20], exit]],
  ])("refuses: %s", ([problem, slots]) => {
    expect(() => check(...slots)).toThrow(problem);
  });

  it("accepts what it says of r10 at the edges of the stack", () => {
    check([0x7b, 10, 1, -512], [0x72, 10, 0, -1], exit);
  });

  it("accepts eight functions within one another and no more", () => {
    const chain = (depth: number): string =>
      Array.from(
        { length: depth },
        (_, i) => `f${i}:\n${i + 1 < depth ? `call local f${i + 1}\n` : ""}mov %r0, ${i}\nexit\n`,
      ).join("");
    expect(validated(chain(8)).functions).toHaveLength(8);
    expect(() => validated(chain(9))).toThrow("more than 8 deep");
  });
});
