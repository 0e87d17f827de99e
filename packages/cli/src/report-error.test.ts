// SPDX-License-Identifier: Apache-2.0

import { diagnoseVerifierLog, VerifierError } from "@skep/ebpf";
import { afterEach, describe, expect, it, vi } from "vitest";
import { reportError } from "./report-error.ts";

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

describe("an error on the terminal", () => {
  it("of the verifier is explained, without its log, and draws nothing", () => {
    let printed = "";
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      printed += String(text);
      return true;
    });
    const log = "; \u001b[2J @ a.c:3\n0: (95) exit\nR0 !read_ok\nprocessed 1 insns (limit 1000000)\n";
    reportError(new VerifierError("p", diagnoseVerifierLog(log), log));
    expect(process.exitCode).toBe(1);
    expect(printed).toContain('skep: program "p" was refused by the verifier\n  R0 !read_ok\n   --> a.c:3\n');
    expect(printed).toContain("why: r0 has no value on this path");
    expect(printed).not.toContain("processed");
    expect(printed).not.toContain("\u001b");
  });
});
