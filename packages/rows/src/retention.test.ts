// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { parseDuration, parseSize } from "./retention.ts";

describe("parseDuration", () => {
  it.each([
    ["90s", 90],
    ["7d", 604_800],
    ["1h30m", 5400],
    ["250ms", 0.25],
    ["1.5h", 5400],
  ])("reads %s", (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  it.each(["", "7", "d", "-5m", "5 m", "5y", "5mm", "1h-5m"])("refuses %j", (text) => {
    expect(() => parseDuration(text)).toThrow(
      `"${text}" is no duration; wanted numbers with units (us, ms, s, m, h, d, w)`,
    );
  });
});

describe("parseSize", () => {
  it.each([
    ["1GiB", 2 ** 30],
    ["1GB", 1e9],
    ["512 MiB", 2 ** 29],
    ["0.5kB", 500],
    ["7B", 7],
  ])("reads %s", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(["", "5", "GiB", "1gib", "-1GiB", "99999999TiB"])("refuses %j", (text) => {
    expect(() => parseSize(text)).toThrow(`"${text}" is no size`);
  });
});
