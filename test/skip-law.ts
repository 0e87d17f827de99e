// SPDX-License-Identifier: Apache-2.0

/** How one test ended. */
export interface TestOutcome {
  /** `packages/x/src/y.test.ts > suite > test`. */
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  /** What the test gave to `ctx.skip`. */
  readonly reason?: string;
}

/**
 * Compares the skips of a run with those that its leg expects: each skip must be on the list with the same
 * reason, each listed test that took part in the run must have been skipped, and each listed test must exist.
 * Returns a sentence for each difference. A run of some files only is judged by the entries of those files.
 */
export function judgeSkips(
  outcomes: readonly TestOutcome[],
  expected: ReadonlyMap<string, string>,
  fileExists: (path: string) => boolean,
): string[] {
  const complaints: string[] = [];
  const seen = new Set<string>();
  for (const { name, state, reason } of outcomes) {
    seen.add(name);
    const expectedReason = expected.get(name);
    if (state !== "skipped") {
      if (expectedReason !== undefined) complaints.push(`"${name}" is listed as skipped but ran: take it off the list`);
    } else if (expectedReason === undefined) {
      complaints.push(`"${name}" was skipped (${reason}) but is not listed`);
    } else if (expectedReason !== reason) {
      complaints.push(`"${name}" was skipped because "${reason}", the list says "${expectedReason}"`);
    }
  }
  const filesRun = new Set(outcomes.map(({ name }) => fileOf(name)));
  for (const name of expected.keys()) {
    const file = fileOf(name);
    if (!seen.has(name) && (filesRun.has(file) || !fileExists(file))) {
      complaints.push(`"${name}" is listed but there is no such test`);
    }
  }
  return complaints;
}

function fileOf(testName: string): string {
  return testName.split(" > ", 1)[0] ?? testName;
}
