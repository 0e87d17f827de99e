// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { judge } from "../scripts/conformance/case-runner.ts";
import { KernelRunner } from "../scripts/conformance/kernel-runner.ts";
import { parseCase } from "../scripts/conformance/parse-case.ts";
import { readCases, runCases } from "../scripts/conformance/run-cases.ts";

const folder = fileURLToPath(new URL("../../shared/conformance/", import.meta.url));

describe("the kernel", () => {
  it("passes the conformance suite, but for what its verifier refuses", (ctx) => {
    if (!existsSync(folder)) ctx.skip("the conformance suite is not here");
    using runner = new KernelRunner();
    const { passed, failed, verdicts } = runCases(readCases(folder), runner);
    expect(failed, JSON.stringify(verdicts)).toBe(0);
    expect(passed).toBeGreaterThan(140);
    for (const { verdict } of verdicts) expect(verdict.reason).toContain("invalid shift");
  });

  it("runs a program with functions, early exits and memory of its own", () => {
    using runner = new KernelRunner();
    const text = `-- asm
      mov %r6, %r1
      call local twice
      jeq %r0, 8, good
      mov %r0, 0
      exit
      good:
      stb [%r6+0], 7
      ldxdw %r0, [%r6+0]
      exit
      twice:
      mov %r0, %r2
      exit
      -- mem
      00 11 22 33 44 55 66 77
      -- result
      0x7766554433221107`.replace(/^ +/gm, "");
    expect(judge(parseCase("functions", text), runner)).toEqual({ kind: "passed", reason: "" });
  });

  it("does not take what runs over its end", () => {
    using runner = new KernelRunner();
    expect(judge(parseCase("endless", "-- asm\nmov %r0, 1\n-- error\nany"), runner).kind).toBe("passed");
    expect(judge(parseCase("endless", "-- asm\nmov %r0, 1\n-- result\n1"), runner).kind).toBe("not applicable");
  });
});
