// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatMapValue, parseValue } from "./value-text.ts";

describe("a value of a map as text", () => {
  it("is read as a person types it", () => {
    expect(parseValue("42")).toBe(42);
    expect(parseValue("-7")).toBe(-7);
    expect(parseValue("0xff")).toBe(255);
    expect(parseValue("1.5e3")).toBe(1500);
    expect(parseValue("18446744073709551615")).toBe(2n ** 64n - 1n);
    expect(parseValue("-0x8000000000000000")).toBe(-(2n ** 63n));
    expect(parseValue(" bash ")).toBe("bash");
    expect(parseValue('"a b\\n"')).toBe("a b\n");
    expect(parseValue("true")).toBe(true);
    expect(parseValue("constructor")).toBe("constructor");
    expect(parseValue("hex:0A0b")).toEqual(Uint8Array.of(10, 11));
    expect(parseValue("hex:0a 0b")).toEqual(Uint8Array.of(10, 11));
    expect(parseValue('{id: 7, "port": 80, tags: [1, 2], inner: {}}')).toEqual({
      id: 7,
      port: 80,
      tags: [1, 2],
      inner: {},
    });
    expect(parseValue("[ ]")).toEqual([]);
  });

  it("is refused with the place", () => {
    expect(() => parseValue("{id: 7,}")).toThrow("{id: 7,}: at character 8, the name of a field is missing");
    expect(() => parseValue("[1, 2")).toThrow('at character 6, "]" is missing');
    expect(() => parseValue("1 2")).toThrow('at character 3, "2" comes after the value');
    expect(() => parseValue("")).toThrow("at character 1, a value is missing");
    expect(() => parseValue("{id 7}")).toThrow('at character 5, ":" is missing');
    expect(() => parseValue('"\\x"')).toThrow("is not a string as JSON writes it");
    expect(() => parseValue("[".repeat(100_000))).toThrow("nests deeper than 64");
    expect(() => parseValue("hex:0")).toThrow("comes after the value");
  });

  it("is printed so that it can be typed back in", () => {
    expect(formatMapValue({ a: 1, "b c": [2n ** 64n, "x"], d: Uint8Array.of(1), e: false })).toBe(
      '{a: 1, "b c": [18446744073709551616, "x"], d: hex:01, e: false}',
    );
    const unit = fc.nat(0xffff).map((code) => String.fromCharCode(code));
    const leaf = fc.oneof(
      fc.double(),
      fc.maxSafeInteger(),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 128n }),
      fc.bigInt({ min: -(2n ** 127n), max: -(2n ** 53n) }),
      fc.string({ unit }),
      fc.boolean(),
      fc.uint8Array(),
    );
    const fields = (value: fc.Arbitrary<unknown>) => fc.dictionary(fc.string(), value, { maxKeys: 3 });
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie("tree"), { maxLength: 3 }), fields(tie("tree"))),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const back = parseValue(formatMapValue(value));
        expect(formatMapValue(back)).toBe(formatMapValue(value));
        expect(back).toEqual(value);
      }),
    );
  });

  it("refuses or reads any text in bounded time", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseValue(text);
        } catch (error) {
          expect(error).toHaveProperty("code", "ERR_INVALID_VALUE");
        }
      }),
    );
  });
});
