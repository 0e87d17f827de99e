// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePattern } from "./pattern.ts";
import { PatternMatcher } from "./pattern-matcher.ts";

/** Patterns on which RegExp and ours must agree. */
const pattern = fc.letrec<{ atom: string; piece: string; sequence: string; choice: string }>((tie) => ({
  atom: fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        "a",
        "b",
        "c",
        ".",
        "é",
        "😀",
        "\\.",
        "\\d",
        "\\W",
        "\\n",
        "[a-b]",
        "[^a]",
        "[\\w.]",
        "[^\\d\\-]",
        "^",
        "$",
      ),
    },
    tie("choice").map((inner) => `(${inner})`),
    tie("choice").map((inner) => `(?:${inner})`),
  ),
  piece: fc
    .tuple(tie("atom"), fc.constantFrom("", "", "", "*", "+", "?", "*?", "{2}", "{1,}", "{0,2}"))
    .map(([atom, repeat]) => (atom === "^" || atom === "$" ? atom : atom + repeat)),
  sequence: fc.array(tie("piece"), { maxLength: 4 }).map((pieces) => pieces.join("")),
  choice: fc.array(tie("sequence"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("|")),
})).choice;

const subject = fc
  .array(fc.constantFrom("a", "b", "c", ".", "é", "😀", "\n", "1", "-"), { maxLength: 8 })
  .map((characters) => characters.join(""));

const test = (text: string, against: string): boolean => new PatternMatcher(parsePattern(text)).test(against);

describe("PatternMatcher", () => {
  it("agrees with RegExp on the common part", () => {
    fc.assert(
      fc.property(pattern, fc.array(subject, { maxLength: 10 }), (text, subjects) => {
        fc.pre(text.length <= 100);
        const matcher = new PatternMatcher(parsePattern(text));
        const expected = new RegExp(text, "su");
        for (const each of subjects) expect([each, matcher.test(each)]).toEqual([each, expected.test(each)]);
      }),
      { numRuns: 400 },
    );
  });

  it("takes ASCII letters in either case after (?i)", () => {
    expect(test("(?i)bash", "/bin/BaSh")).toBe(true);
    expect(test("(?i)[x-z]1", "Y1")).toBe(true);
    expect(test("(?i)é", "É")).toBe(false);
  });

  it("means ASCII by classes", () => {
    expect(test("\\s", "\u00a0")).toBe(false);
    expect(test("\\w", "é")).toBe(false);
    expect(test("\\d", "٣")).toBe(false);
  });

  it("answers at once where RegExp would not in a lifetime", () => {
    const started = performance.now();
    expect(test("(a+)+(b|a*)*c$", "a".repeat(4000))).toBe(false);
    expect(test(".*.*.*.*.*.*.*x", "a".repeat(4000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe("parsePattern", () => {
  it.each([
    ["a\\b", 2, "an escape that both"],
    ["(?=a)", 2, "(? (other groups"],
    ["(a", 2, ")"],
    ["a)", 1, "the end of the pattern"],
    ["[a", 2, "more of the pattern"],
    ["[]a]", 1, "\\] for the character itself"],
    ["[b-a]", 4, "a range from a lower"],
    ["[[:alpha:]]", 1, "\\[ for the character"],
    ["*a", 0, "\\* for the character"],
    ["a**", 2, "a group around"],
    ["^*", 1, "something that can be repeated"],
    ["a{3,2}", 6, "at least 3"],
    ["a{256}", 5, "a number up to 255"],
    ["a{", 2, "a number up to 255"],
    ["\\1", 1, "an escape that both"],
    ["é|\\q", 3, "an escape that both"],
  ])("refuses %s at character %i", (text, position, wanted) => {
    expect(() => parsePattern(text, 10)).toThrow(
      expect.objectContaining({ position: position + 10, wanted: expect.stringContaining(wanted) }),
    );
  });

  it("refuses patterns that are too long or repeat too much", () => {
    expect(() => parsePattern("a".repeat(257))).toThrow("at most 256");
    expect(() => parsePattern("((a{255}){255}){255}")).toThrow(/repeats into \d+ states/);
  });
});
