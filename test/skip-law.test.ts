// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { judgeSkips, type TestOutcome } from "./skip-law.ts";

const skipped: TestOutcome = { name: "a.test.ts > maps > batches", state: "skipped", reason: "kernel lacks batches" };
const passed: TestOutcome = { name: "a.test.ts > maps > looks up", state: "passed" };
const everyFileExists = () => true;

describe("judgeSkips", () => {
  it("accepts a run whose skips are exactly the listed ones", () => {
    const expected = new Map([[skipped.name, "kernel lacks batches"]]);
    expect(judgeSkips([skipped, passed], expected, everyFileExists)).toEqual([]);
  });

  it("refuses a skip that is not listed", () => {
    expect(judgeSkips([skipped], new Map(), everyFileExists)).toEqual([
      '"a.test.ts > maps > batches" was skipped (kernel lacks batches) but is not listed',
    ]);
  });

  it("refuses a skip for another reason than the listed one", () => {
    const expected = new Map([[skipped.name, "not root"]]);
    expect(judgeSkips([skipped], expected, everyFileExists)).toEqual([
      '"a.test.ts > maps > batches" was skipped because "kernel lacks batches", the list says "not root"',
    ]);
  });

  it.each(["passed", "failed"] as const)("refuses a listed test that ran and %s", (state) => {
    const expected = new Map([[skipped.name, "kernel lacks batches"]]);
    expect(judgeSkips([{ name: skipped.name, state }], expected, everyFileExists)).toEqual([
      '"a.test.ts > maps > batches" is listed as skipped but ran: take it off the list',
    ]);
  });

  it("refuses a listed test that its file no longer has", () => {
    const expected = new Map([["a.test.ts > gone", "not root"]]);
    expect(judgeSkips([passed], expected, everyFileExists)).toEqual([
      '"a.test.ts > gone" is listed but there is no such test',
    ]);
  });

  it("says nothing of listed tests in files that did not take part", () => {
    const expected = new Map([["other.test.ts > x", "not root"]]);
    expect(judgeSkips([passed], expected, everyFileExists)).toEqual([]);
    expect(judgeSkips([passed], expected, () => false)).toHaveLength(1);
  });
});
