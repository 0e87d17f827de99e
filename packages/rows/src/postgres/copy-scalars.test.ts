// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NUMERIC_BYTES, writeNumeric, writeTimestamp } from "./copy-scalars.ts";

describe("writeNumeric", () => {
  it("writes the decimal digits of every u64", () => {
    const edges = [0n, 1n, 9999n, 10_000n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n + 1n, 10n ** 19n, 2n ** 64n - 1n];
    const value = fc.oneof(fc.constantFrom(...edges), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
    fc.assert(
      fc.property(value, (number) => {
        const view = new DataView(new ArrayBuffer(NUMERIC_BYTES));
        writeNumeric(view, 0, Number(number >> 32n), Number(number & 0xffffffffn));
        expect([0, 2, 4, 6].map((at) => view.getInt16(at))).toEqual([5, 4, 0, 0]);
        let read = 0n;
        for (let digit = 0; digit < 5; digit++) read = read * 10_000n + BigInt(view.getInt16(8 + 2 * digit));
        expect(read).toBe(number);
      }),
    );
  });
});

describe("writeTimestamp", () => {
  it("counts microseconds from the year 2000, exactly", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (time) => {
        const view = new DataView(new ArrayBuffer(8));
        writeTimestamp(view, 0, time);
        expect(view.getBigInt64(0)).toBe(BigInt(time) - 946_684_800_000_000n);
      }),
    );
  });
});
