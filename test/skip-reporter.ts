// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Reporter, TestCase, TestModule, TestRunEndReason, TestSpecification, Vitest } from "vitest/node";
import { judgeSkips, type TestOutcome } from "./skip-law.ts";

const noReason = "no reason given";

/**
 * Prints the skipped tests grouped by reason and, as the last line, the counts and the time. Fails the run when
 * its skips are not those of the leg's committed list (`test/expected-skips/LEG.json`).
 *
 * The leg is `SKEP_TEST_LEG`, else `host` for root on Linux. Anybody else has no leg: their skips are printed only.
 */
export class SkipReporter implements Reporter {
  #vitest: Vitest | undefined;
  #linesGiven = false;
  #start = 0;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#start = performance.now();
    this.#linesGiven = specifications.some((specification) => specification.testLines !== undefined);
  }

  onTestRunEnd(modules: readonly TestModule[], _errors: readonly unknown[], reason: TestRunEndReason): void {
    const vitest = this.#vitest;
    if (vitest === undefined) throw new Error("the test run ended before it began");
    const outcomes = modules.flatMap((module) => [...module.children.allTests()].map(outcomeOf));
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const chosenByName = vitest.config.testNamePattern !== undefined || this.#linesGiven;
    // With `-t`, what was not chosen counts as skipped, without a note.
    const skipped = outcomes.filter(
      ({ state, reason }) => state === "skipped" && !(chosenByName && reason === noReason),
    );
    const lines = [...groupByReason(skipped)].map(([why, count]) => `skipped ${count}: ${why}`);
    const leg = process.env.SKEP_TEST_LEG ?? (process.getuid?.() === 0 ? "host" : undefined);
    if (leg === undefined) {
      if (skipped.length > 0) lines.push("no leg (not root): the skips are not compared with a list");
    } else if (!chosenByName && reason !== "interrupted") {
      const { root } = vitest.config;
      const complaints = judgeSkips(outcomes, readExpectedSkips(root, leg), (path) => existsSync(join(root, path)));
      for (const complaint of complaints) lines.push(`error: test/expected-skips/${leg}.json: ${complaint}`);
      if (complaints.length > 0) process.exitCode = 1;
    }
    const count = (state: TestOutcome["state"]) => outcomes.filter((outcome) => outcome.state === state).length;
    const failed = count("failed") + broken;
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(1);
    lines.push(`${count("passed")} passed, ${failed} failed, ${skipped.length} skipped, ${seconds} s`);
    process.stdout.write(`${lines.join("\n")}\n`);
  }
}

function outcomeOf(test: TestCase): TestOutcome {
  const result = test.result();
  const name = `${test.module.relativeModuleId} > ${test.fullName}`;
  if (result.state === "skipped") return { name, state: "skipped", reason: result.note ?? noReason };
  // A test that never finished (its worker died) did not pass.
  return { name, state: result.state === "passed" ? "passed" : "failed" };
}

function groupByReason(skipped: readonly TestOutcome[]): Map<string, number> {
  const groups = new Map<string, number>();
  for (const { reason = noReason } of skipped) groups.set(reason, (groups.get(reason) ?? 0) + 1);
  return groups;
}

function readExpectedSkips(root: string, leg: string): Map<string, string> {
  const path = join(root, "test/expected-skips", `${leg}.json`);
  if (!existsSync(path)) throw new Error(`leg "${leg}" has no list of expected skips: ${path} does not exist`);
  const list: unknown = JSON.parse(readFileSync(path, "utf8"));
  if (typeof list !== "object" || list === null || Array.isArray(list)) {
    throw new Error(`${path} must hold an object of test names and reasons`);
  }
  return new Map(Object.entries(list).map(([name, reason]) => [name, String(reason)]));
}
