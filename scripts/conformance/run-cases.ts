// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { InvalidValueError } from "@skep/ebpf";
import { type CaseRunner, judge, type Verdict } from "./case-runner.ts";
import { type ConformanceCase, parseCase } from "./parse-case.ts";

/** What one runner made of all cases. */
export interface RunnerReport {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  /** Cases that a verifier refuses, though they are sound. */
  readonly notApplicable: number;
  /** All but those that passed. */
  readonly verdicts: readonly { readonly test: string; readonly verdict: Verdict }[];
}

/** Reads the cases of a directory and of those in it, by name. A file that is no case becomes one that fails. */
export function readCases(directory: string): ConformanceCase[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".data"))
    .sort()
    .map((file) => readCase(file.slice(0, -".data".length), readFileSync(join(directory, file), "utf8")));
}

function readCase(name: string, text: string): ConformanceCase {
  try {
    return parseCase(name, text);
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    const memory = new Uint8Array();
    return { name, instructions: undefined, problem: error.message, memory, result: undefined, mayFail: false };
  }
}

/** Runs all cases on a runner. */
export function runCases(cases: readonly ConformanceCase[], runner: CaseRunner): RunnerReport {
  const all = cases.map((test) => ({ test: test.name, verdict: judge(test, runner) }));
  const count = (kind: Verdict["kind"]): number => all.filter(({ verdict }) => verdict.kind === kind).length;
  return {
    ...{ name: runner.name, passed: count("passed"), failed: count("failed"), notApplicable: count("not applicable") },
    verdicts: all.filter(({ verdict }) => verdict.kind !== "passed"),
  };
}
