// SPDX-License-Identifier: Apache-2.0

import type { ConformanceCase } from "./parse-case.ts";

/** What became of a program: r0 in the end, unsigned, or why it was refused or ended early. */
export type CaseOutcome = { readonly returned: bigint } | { readonly refused: string };

/** What runs programs with r1 at some bytes of memory and r2 their number. */
export interface CaseRunner extends Disposable {
  /** The engine and its mode: `vm memory64`. */
  readonly name: string;
  /** Whether it has a verifier, which may refuse sound programs. */
  readonly verifies: boolean;
  /** Throws only what is a defect of the engine. */
  run(instructions: Uint8Array, memory: Uint8Array): CaseOutcome;
}

/** What to think of it. */
export interface Verdict {
  readonly kind: "passed" | "failed" | "not applicable";
  /** Why, unless it passed. */
  readonly reason: string;
}

const passed: Verdict = { kind: "passed", reason: "" };

/** Runs a case and compares. A sound case that a verifier refuses is not applicable. */
export function judge(test: ConformanceCase, runner: CaseRunner): Verdict {
  const { instructions, memory, result, mayFail } = test;
  if (instructions === undefined) {
    return mayFail ? passed : { kind: "failed", reason: test.problem ?? "there is no program" };
  }
  let outcome: CaseOutcome;
  try {
    outcome = runner.run(instructions, memory);
  } catch (error) {
    return { kind: "failed", reason: `the engine failed: ${error instanceof Error ? error.stack : String(error)}` };
  }
  if ("refused" in outcome) {
    if (mayFail) return passed;
    return { kind: runner.verifies ? "not applicable" : "failed", reason: outcome.refused };
  }
  if (outcome.returned === result) return passed;
  const wanted = result === undefined ? "an error" : hex(result);
  return { kind: "failed", reason: `r0 is ${hex(outcome.returned)}, wanted is ${wanted}` };
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
