// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesPattern } from "./matches-pattern.ts";

describe("matchesPattern", () => {
  it("agrees with a regular expression", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 });
    const patterns = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 6 });
    fc.assert(
      fc.property(letters, patterns, (name, pattern) => {
        const expression = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`);
        expect(matchesPattern(name, pattern)).toBe(expression.test(name));
      }),
      { numRuns: 2000 },
    );
  });

  it("takes no time over a pattern that a backtracking matcher cannot bear", () => {
    const start = performance.now();
    expect(matchesPattern("a".repeat(3000), `${"a*".repeat(30)}b`)).toBe(false);
    expect(performance.now() - start).toBeLessThan(500);
  });
});
