// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { verifierReason } from "./verifier-reason.ts";

describe("the verifier's reason", () => {
  it("is the last line before the statistics", () => {
    const log = "0: R1=ctx() R10=fp0\n1: (b7) r0 = 1\nunreachable insn 2\nprocessed 2 insns (limit 1000000)\n";
    expect(verifierReason(log)).toBe("unreachable insn 2");
  });

  it("takes in the instruction when the last line is about a register", () => {
    const log =
      "0: R1=ctx() R10=fp0\n0: (95) exit\nR0 !read_ok\nprocessed 1 insns (limit 1000000) max_states_per_insn 0\n";
    expect(verifierReason(log)).toBe("0: (95) exit: R0 !read_ok");
  });

  it("takes in the line before one that is indented", () => {
    expect(verifierReason("func 'f' arg0\n\thas no name\n")).toBe("func 'f' arg0: has no name");
  });

  it("is read from the report of Linux 7.3 and newer", () => {
    const log = [
      "0: R1=ctx() R10=fp0",
      "0: (95) exit",
      "R0 !read_ok",
      "",
      "Verification failed: Register Type Safety: Unreadable register",
      "",
      "Reason:",
      "  R0 has never been initialized on this path, so the verifier cannot use it as an input.",
      "",
      "At:",
      "  insn 0",
      "        | ^-- error: R0 is not readable",
      "  Instruction context:",
      "  >>> 0 | (95) exit",
      "",
      "Causal path:",
      "  no retained diagnostic events on this path",
      "",
      "Suggestion:",
      "  Initialize R0 on every path before this instruction.",
      "",
      "processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0",
    ].join("\n");
    expect(verifierReason(log)).toBe(
      "Register Type Safety: Unreadable register: R0 has never been initialized on this path, so the verifier cannot use it as an input.: at insn 0",
    );
  });

  it("survives logs that are empty or cut short", () => {
    expect(verifierReason("")).toBe("");
    expect(verifierReason("\n\n")).toBe("");
    expect(verifierReason("processed 0 insns (limit 1000000)")).toBe("");
    expect(verifierReason("Verification failed: Bad pointer\n")).toBe("Bad pointer");
    expect(verifierReason("R1 is bad")).toBe("R1 is bad");
  });
});
