// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTime, parseTime, wholeMicroseconds } from "./time-text.ts";

describe("formatTime", () => {
  it("writes six digits after the point, in UTC", () => {
    expect(formatTime(0)).toBe("1970-01-01T00:00:00.000000Z");
    expect(formatTime(1_700_000_000_123_456)).toBe("2023-11-14T22:13:20.123456Z");
    expect(formatTime(-1)).toBe("1969-12-31T23:59:59.999999Z");
  });

  it("rounds down, and keeps to the years that doubles can count", () => {
    expect(formatTime(1.9)).toBe("1970-01-01T00:00:00.000001Z");
    expect(formatTime(Number.NaN)).toBe("1970-01-01T00:00:00.000000Z");
    expect(formatTime(Number.POSITIVE_INFINITY)).toMatch(/^2255-/);
    expect(formatTime(-1e300)).toMatch(/^1684-/);
  });

  it("writes what parseTime reads", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (time) => {
        expect(parseTime(formatTime(time))).toBe(time);
        expect(formatTime(time).slice(0, 23)).toBe(new Date(Math.floor(time / 1000)).toISOString().slice(0, 23));
      }),
    );
  });

  it("gives whole numbers", () => {
    fc.assert(
      fc.property(fc.double(), (time) => {
        expect(Number.isSafeInteger(wholeMicroseconds(time))).toBe(true);
      }),
    );
  });
});

describe("parseTime", () => {
  it.each([
    ["2026-01-31", Date.UTC(2026, 0, 31) * 1000],
    ["2026-01-31 10:20", Date.UTC(2026, 0, 31, 10, 20) * 1000],
    ["2026-01-31T10:20:30.1234567Z", Date.UTC(2026, 0, 31, 10, 20, 30) * 1000 + 123_456],
    ["2026-01-31T10:20:30+02:00", Date.UTC(2026, 0, 31, 8, 20, 30) * 1000],
    ["2026-01-31T10:20:30-0130", Date.UTC(2026, 0, 31, 11, 50, 30) * 1000],
    ["2026-01-31 10:20:30.5+00", Date.UTC(2026, 0, 31, 10, 20, 30, 500) * 1000],
  ])("reads %s", (text, time) => expect(parseTime(text)).toBe(time));

  it.each([
    "",
    "now",
    "2026",
    "2026-02-30",
    "2026-13-01",
    "2026-01-31T24:00",
    "2026-01-31T10:60",
    "0001-01-01",
    "9999-01-01",
    "2026-01-31T10",
  ])("refuses %j", (text) => expect(parseTime(text)).toBeUndefined());
});
