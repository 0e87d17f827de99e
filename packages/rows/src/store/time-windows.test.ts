// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { timeWindows } from "./time-windows.ts";

const chunk = fc
  .tuple(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 0, max: 1e10 }))
  .map(([oldest, length]) => ({ oldest, newest: oldest + length }));

describe("timeWindows", () => {
  it("covers all of time once, in the order asked for, with a bounded number of windows", () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 300 }), fc.boolean(), (chunks, newestFirst) => {
        const windows = timeWindows(chunks, newestFirst);
        const ascending = newestFirst ? windows.toReversed() : windows;
        expect(windows.length).toBeLessThanOrEqual(65);
        expect(ascending[0]?.from).toBeUndefined();
        expect(ascending.at(-1)?.to).toBeUndefined();
        for (const [index, { from, to }] of ascending.entries()) {
          if (from !== undefined && to !== undefined) expect(from).toBeLessThan(to);
          if (index > 0) expect(from).toBe(ascending[index - 1]?.to);
        }
      }),
    );
  });

  it("begins with the last second when the newest come first", () => {
    expect(timeWindows([{ oldest: 0, newest: 1e10 }], true)[0]).toEqual({ from: 1e10 - 1e6, to: undefined });
  });
});
