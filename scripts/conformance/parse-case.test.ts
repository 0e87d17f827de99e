// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { type CaseOutcome, type CaseRunner, judge } from "./case-runner.ts";
import { parseCase } from "./parse-case.ts";

const EXIT = 0x95n;

describe("parseCase", () => {
  it("takes every section, in any order, with comments between", () => {
    const text = `# comment
-- c
#include <stdint.h>
-- result
0x1f # decimal would do
-- asm
mov %r0, 0x1f
exit
-- mem
00 ff 0x10
a 1b
-- no register offset
call instruction
`;
    const { memory, result, mayFail, instructions } = parseCase("one", text);
    expect([...memory]).toEqual([0, 0xff, 0x10, 0x0a, 0x1b]);
    expect(result).toBe(0x1fn);
    expect(mayFail).toBe(false);
    expect(instructions?.length).toBe(16);
  });

  it("takes raw numbers before assembler, several a line, and negative results", () => {
    const text = `-- asm\nfrob\n-- raw\n0x5566778800000018 1234605615003729920\n149 # exit\n-- result\n-1`;
    const { instructions, result } = parseCase("raw", text);
    const slots = new BigUint64Array((instructions as Uint8Array).slice().buffer);
    expect([...slots]).toEqual([0x5566778800000018n, 0x1122334400000000n, EXIT]);
    expect(result).toBe(2n ** 64n - 1n);
  });

  it.each([
    ["-- map\narray 2 4 4 1\n-- asm\nexit\n-- result\n0", 'there is no section "map"'],
    ["-- asm\nexit\n", "neither a result nor an error"],
    ["-- asm\nexit\n-- result\n", "neither a result nor an error"],
    ["-- result\n0", "has no program"],
    ["-- asm\nexit\n-- result\nfive", '"five" is not a number'],
    ["-- asm\nexit\n-- result\n0x10000000000000000", "does not fit 64 bits"],
    ["-- asm\nexit\n-- mem\n1ff\n-- result\n0", '"1ff" of its memory is no byte'],
    ["exit\n-- result\n0", "begins with no section"],
  ])("refuses %j", (text, message) => {
    expect(() => parseCase("bad", text)).toThrow(message);
  });
});

describe("judge", () => {
  const runner = (outcome: CaseOutcome | Error, verifies = false): CaseRunner => ({
    ...{ name: "test", verifies },
    run: () => {
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    [Symbol.dispose]: () => undefined,
  });
  const sound = parseCase("sound", "-- asm\nmov %r0, 1\nexit\n-- result\n1");
  const wrong = parseCase("wrong", "-- asm\nmov %r0, 1\n-- error\nit ends nowhere");

  it("wants the result, all 64 bits of it", () => {
    expect(judge(sound, runner({ returned: 1n })).kind).toBe("passed");
    expect(judge(sound, runner({ returned: 0x1_0000_0001n }))).toEqual({
      ...{ kind: "failed", reason: "r0 is 0x100000001, wanted is 0x1" },
    });
  });

  it("wants a refusal where the case has an error and no result", () => {
    expect(judge(wrong, runner({ refused: "it ends nowhere" })).kind).toBe("passed");
    expect(judge(wrong, runner({ returned: 1n }))).toEqual({ kind: "failed", reason: "r0 is 0x1, wanted is an error" });
  });

  it("takes either where it has both", () => {
    const either = parseCase("either", "-- asm\ncall kfunc 42\nexit\n-- result\n0\n-- error\n");
    expect(judge(either, runner({ refused: "no such function" })).kind).toBe("passed");
    expect(judge(either, runner({ returned: 0n })).kind).toBe("passed");
    expect(judge(either, runner({ returned: 1n })).kind).toBe("failed");
  });

  it("lets a verifier refuse what is sound, and no other engine", () => {
    const refused = { refused: "invalid shift 40" };
    expect(judge(sound, runner(refused, true))).toEqual({ kind: "not applicable", reason: "invalid shift 40" });
    expect(judge(sound, runner(refused))).toEqual({ kind: "failed", reason: "invalid shift 40" });
  });

  it("counts what the assembler refuses as failed, unless an error is wanted, and defects as failed", () => {
    const unknown = parseCase("unknown", "-- asm\nfrob %r1\n-- result\n0");
    expect(judge(unknown, runner({ returned: 0n })).reason).toContain('there is no instruction "frob"');
    expect(judge(parseCase("bad", "-- asm\nfrob %r1\n-- error\nno"), runner({ returned: 0n })).kind).toBe("passed");
    expect(judge(sound, runner(new TypeError("oops"))).reason).toContain("the engine failed: TypeError: oops");
  });
});
