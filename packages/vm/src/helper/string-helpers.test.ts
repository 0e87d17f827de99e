// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TestFrame } from "./helper.test-kit.ts";
import { stringHelpers } from "./string-helpers.ts";

const helpers = stringHelpers();
const frame = new TestFrame();

/** [result, value left in the target]. */
function parse(name: "strtol" | "strtoul", text: string, base = 0n, length = text.length): [bigint, bigint] {
  frame.reset();
  const at = frame.put(Buffer.from(text, "latin1"));
  const target = frame.put(Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9));
  const result = frame.invoke(helpers, name, at, length, base, target);
  const value = new DataView(frame.bytes(target, 8).buffer).getBigInt64(0, true);
  return [result, name === "strtol" ? value : BigInt.asUintN(64, value)];
}

const EINVAL = -22n;
const ERANGE = -34n;

describe("strtol and strtoul", () => {
  test("read back what was written in any base, and say how much of it", () => {
    const bases = fc.constantFrom([8, "0"], [10, ""], [16, "0x"], [16, "0X"]) as fc.Arbitrary<[number, string]>;
    const number = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(
        number,
        bases,
        fc.constantFrom("", " ", "\t\n "),
        fc.boolean(),
        (value, [base, prefix], white, known) => {
          const digits = `${white}${prefix}${value.toString(base)}`;
          const flags = known ? BigInt(base) : 0n;
          const wanted = BigInt(digits.length);
          expect(parse("strtoul", `${digits}!`, flags)).toEqual([wanted, value]);
          expect(parse("strtol", `${digits}!`, flags)).toEqual(value < 2n ** 63n ? [wanted, value] : [ERANGE, 0n]);
          const negative = digits.replace(prefix + value.toString(base), `-${prefix}${value.toString(base)}`);
          expect(parse("strtol", negative, flags)).toEqual(value <= 2n ** 63n ? [wanted + 1n, -value] : [ERANGE, 0n]);
          expect(parse("strtoul", negative, flags)).toEqual([EINVAL, 0n]);
        },
      ),
    );
  });

  test("the corners of lib/kstrtox.c", () => {
    expect(parse("strtol", "0x")).toEqual([1n, 0n]);
    expect(parse("strtol", "0x", 16n)).toEqual([EINVAL, 0n]);
    expect(parse("strtol", "0xg", 16n)).toEqual([EINVAL, 0n]);
    expect(parse("strtol", "089")).toEqual([1n, 0n]);
    expect(parse("strtol", "12", 10n, 1)).toEqual([1n, 1n]);
    for (const text of ["", " ", "-", "+1", "x", "- 1", "\0 1"])
      expect([text, parse("strtol", text)]).toEqual([text, [EINVAL, 0n]]);
    for (const base of [1n, 2n, 36n, 32n, 2n ** 40n + 10n]) expect(parse("strtol", "1", base)).toEqual([EINVAL, 0n]);
    expect(parse("strtoul", "18446744073709551616")).toEqual([ERANGE, 0n]);
    // Of a longer number, 63 bytes are looked at.
    expect(parse("strtoul", `${"0".repeat(62)}123`, 10n)).toEqual([63n, 1n]);
  });
});

describe("strncmp", () => {
  const compare = (a: string, size: number, b: string) =>
    frame.invoke(helpers, "strncmp", frame.put(a), size, frame.put(b));

  test("is -1, 0 or 1 as the kernel's", () => {
    frame.reset();
    expect(compare("abc", 4, "abc")).toBe(0n);
    expect(compare("abc", 4, "abd")).toBe(-1n);
    expect(compare("b", 2, "abc")).toBe(1n);
    expect(compare("abX", 2, "abY")).toBe(0n);
    expect(compare("ab", 3, "abc")).toBe(-1n);
    expect(compare("\x7f", 2, "\u00e9")).toBe(-1n);
  });

  test("a second string that ends nowhere is a fault", () => {
    const last = frame.page + 4096 - 2;
    frame.memory.slice(last, 2).set([0x61, 0x61]);
    expect(() => frame.invoke(helpers, "strncmp", frame.put("aaaa"), 4, last)).toThrow(
      "which the program may not touch",
    );
  });
});
