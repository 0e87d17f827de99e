// SPDX-License-Identifier: Apache-2.0

import { encodeProgram } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { type FuzzProgram, generateProgram } from "./generate-program.ts";
import { minimiseProgram } from "./minimise-program.ts";
import { kindOf, opcodeKinds } from "./opcode-kinds.ts";

describe("generateProgram", () => {
  it("gives the same program for the same seed, of every kind of instruction", () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 2000; seed++) {
      const program = generateProgram(seed);
      for (const instruction of program.code) seen.add(kindOf(instruction).name);
      expect(program.runs.length).toBe(program.code.length);
      // Every label is there, and every jump short enough.
      const { instructions } = encodeProgram(program.code);
      if (seed % 100 === 0) expect(encodeProgram(generateProgram(seed).code).instructions).toEqual(instructions);
    }
    expect(opcodeKinds.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([]);
  });
});

/** Instructions that may be taken out. */
function movable({ fixed }: FuzzProgram): number {
  return fixed.filter((each) => !each).length;
}

describe("minimiseProgram", () => {
  it("leaves what the failure needs, and jumps that lead to what is left", () => {
    const program = generateProgram(7);
    const wanted = program.code.find((each, i) => i > 30 && kindOf(each).name.startsWith("add"));
    const least = minimiseProgram(program, ({ code }) => {
      encodeProgram(code);
      return code.some(({ opcode, destination, immediate }) => {
        return opcode === wanted?.opcode && destination === wanted.destination && immediate === wanted.immediate;
      });
    });
    expect(movable(least)).toBeLessThan(movable(program) / 4);
    expect(least.code.some(({ opcode }) => opcode === wanted?.opcode)).toBe(true);
  });
});
