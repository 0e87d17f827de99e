// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { judge } from "./case-runner.ts";
import { parseCase } from "./parse-case.ts";
import { readCases, runCases } from "./run-cases.ts";
import { VmRunner, vmModes } from "./vm-runner.ts";

const folder = fileURLToPath(new URL("../../../shared/conformance/", import.meta.url));

describe.each([...vmModes])("the engine over WebAssembly, %s", (mode, options) => {
  it("passes the conformance suite", (ctx) => {
    if (!existsSync(folder)) ctx.skip("the conformance suite is not here");
    using runner = new VmRunner(mode, options);
    const { passed, failed, verdicts } = runCases(readCases(folder), runner);
    expect(verdicts).toEqual([]);
    expect(failed).toBe(0);
    expect(passed).toBeGreaterThan(150);
  });

  it.each([
    ["a jump to nowhere", "ja +5\nexit"],
    ["an end without exit", "mov %r0, 1"],
    ["a store to the frame pointer", "mov %r10, 1\nexit"],
    ["a helper that does not exist", "call 9999\nexit"],
    ["an opcode that does not exist", undefined],
    ["a read of page 0", "mov %r1, 0\nldxw %r0, [%r1+4]\nexit"],
    ["a read beyond 4 GiB", "lddw %r1, 0x1000000000\nldxw %r0, [%r1+0]\nexit"],
  ])("refuses %s", (_, source) => {
    using runner = new VmRunner(mode, options);
    const program = source === undefined ? "-- raw\n0xff 0x95" : `-- asm\n${source}`;
    expect(judge(parseCase("bad", `${program}\n-- error\nany`), runner)).toEqual({ kind: "passed", reason: "" });
  });

  it("gives programs the memory of a case, and its length", () => {
    using runner = new VmRunner(mode, options);
    const text = "-- asm\nstxb [%r1+2], %r2\nldxw %r0, [%r1+0]\nexit\n-- mem\n01 02 03 04\n-- result\n0x4040201";
    expect(judge(parseCase("memory", text), runner).kind).toBe("passed");
    const none = "-- asm\nmov %r0, %r1\nor %r0, %r2\nexit\n-- result\n0";
    expect(judge(parseCase("none", none), runner).kind).toBe("passed");
  });
});
