// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { BtfKind } from "./btf/types.ts";
import { perCpuCodec } from "./codec/per-cpu-codec.ts";
import { rawCodec } from "./codec/raw-codec.ts";
import { codecFor } from "./codec-for.ts";
import { TestBtf } from "./columns/btf/btf.test-kit.ts";
import { InvalidValueError, MalformedError } from "./errors.ts";

function encode(btf: TestBtf, type: number, value: unknown): Uint8Array {
  const codec = codecFor(btf, type);
  const bytes = new Uint8Array(codec.size).fill(0xee);
  codec.encode(value, bytes, 0);
  return bytes;
}

function basics(byteOrder: "little" | "big" = "little") {
  const btf = new TestBtf(byteOrder);
  return {
    btf,
    u8: btf.int("unsigned char", 1),
    s8: btf.int("signed char", 1, { signed: true }),
    char: btf.int("char", 1, { signed: true }),
    u16: btf.int("unsigned short", 2),
    u32: btf.int("unsigned int", 4),
    s32: btf.int("int", 4, { signed: true }),
    u64: btf.int("unsigned long long", 8),
    bool: btf.int("_Bool", 1, { bool: true }),
  };
}

describe("codecFor", () => {
  it("reads bitfields as little-endian compilers lay them out", () => {
    const { btf, u32 } = basics();
    const type = btf.struct("s", [
      { name: "a", type: u32, bitSize: 3 },
      { name: "b", type: u32, bitSize: 13 },
    ]);
    expect(encode(btf, type, { a: 5, b: 0x1234 })).toEqual(Uint8Array.of(0xa5, 0x91, 0, 0));
  });

  it("reads bitfields as big-endian compilers lay them out", () => {
    const { btf, u32 } = basics("big");
    const type = btf.struct("s", [
      { name: "a", type: u32, bitSize: 3 },
      { name: "b", type: u32, bitSize: 13 },
    ]);
    expect(encode(btf, type, { a: 5, b: 0x1234 })).toEqual(Uint8Array.of(0xb2, 0x34, 0, 0));
  });

  it("reads the bitfields of old compilers, whose integer types have fewer bits", () => {
    const { btf } = basics();
    const nibble = btf.add({
      kind: BtfKind.INT,
      name: "unsigned int",
      size: 4,
      bits: 4,
      bitOffset: 2,
      signed: false,
      char: false,
      bool: false,
    });
    const type = btf.add({
      kind: BtfKind.STRUCT,
      name: "s",
      size: 4,
      members: [{ name: "a", type: nibble, bitOffset: 8, bitSize: 0 }],
    });
    expect(codecFor(btf, type).decode(Uint8Array.of(0, 0b0010_1000, 0, 0), 0)).toEqual({ a: 0b1010 });
  });

  it("hoists the fields of anonymous structs and unions", () => {
    const { btf, u32, u64 } = basics();
    const pair = btf.struct("", [
      { name: "low", type: u32 },
      { name: "high", type: u32 },
    ]);
    const either = btf.union("", [
      { name: "", type: pair },
      { name: "whole", type: u64 },
    ]);
    const type = btf.struct("s", [
      { name: "kind", type: u32 },
      { name: "", type: either },
    ]);
    const bytes = encode(btf, type, { kind: 1, low: 2, high: 3 });
    expect(codecFor(btf, type).decode(bytes, 0)).toEqual({ kind: 1, low: 2, high: 3, whole: 0x3_0000_0002n });
    expect(encode(btf, type, { kind: 1, whole: 0x3_0000_0002n })).toEqual(bytes);
    expect(() => encode(btf, type, { kind: 1, low: 2, high: 3, whole: 1 })).toThrow(
      'a union takes exactly one of { low, high }, "whole"; given: { low, high }, "whole"',
    );
    expect(() => encode(btf, type, { kind: 1, low: 2 })).toThrow('field "high" missing');
  });

  it("names the path of what does not fit", () => {
    const { btf, u8, u16 } = basics();
    const inner = btf.struct("inner", [{ name: "b", type: u8 }]);
    const type = btf.struct("outer", [
      { name: "a", type: inner },
      { name: "list", type: btf.array(inner, 2) },
      { name: "n", type: btf.array(u16, 2) },
    ]);
    const good = { a: { b: 1 }, list: [{ b: 1 }, { b: 2 }], n: [1, 2] };
    const refusal = (value: object) => {
      try {
        encode(btf, type, { ...good, ...value });
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidValueError);
        return (error as Error).message;
      }
      return undefined;
    };
    expect(refusal({})).toBeUndefined();
    expect(refusal({ a: { b: 300 } })).toBe('field "a.b": 300 does not fit into u8 (0..255)');
    expect(refusal({ list: [{ b: 1 }, { b: -1n }] })).toBe('field "list[1].b": -1 does not fit into u8 (0..255)');
    expect(refusal({ n: [1, "x"] })).toBe('field "n[1]": "x" is not an integer');
    expect(refusal({ n: [1] })).toBe('field "n": 1 elements given, 2 wanted');
    expect(refusal({ a: {} })).toBe('field "a": field "b" missing');
    expect(refusal({ lst: 1 })).toBe('unknown field "lst" (did you mean "list"?)');
    expect(refusal({ a: 7 })).toBe('field "a": 7 is not an object');
  });

  it("takes numbers for 64-bit fields and bigints for small ones, when exact and in range", () => {
    const { btf, u64, s8 } = basics();
    expect(codecFor(btf, u64).decode(encode(btf, u64, 7), 0)).toBe(7n);
    expect(codecFor(btf, s8).decode(encode(btf, s8, -128n), 0)).toBe(-128);
    expect(() => encode(btf, u64, 2 ** 60)).toThrow("write it as a bigint");
    expect(() => encode(btf, u64, -1)).toThrow("does not fit into u64 (0..18446744073709551615)");
    expect(() => encode(btf, s8, 1.5)).toThrow("1.5 is not an integer");
  });

  it("refuses text that does not fit, and takes text that fills the array", () => {
    const { btf, char } = basics();
    const type = btf.array(char, 4);
    expect(encode(btf, type, "äb")).toEqual(Uint8Array.of(0xc3, 0xa4, 0x62, 0));
    expect(codecFor(btf, type).decode(encode(btf, type, "abcd"), 0)).toBe("abcd");
    expect(() => encode(btf, type, "äöü")).toThrow('"äöü" is 6 bytes of UTF-8, char[4] holds 4');
    expect(() => encode(btf, type, "a\0b")).toThrow("NUL");
  });

  it("shows enums by label and keeps values without one", () => {
    const { btf } = basics();
    const small = btf.enumeration("state", 1, true, [
      { name: "IDLE", value: -1 },
      { name: "BUSY", value: 2 },
    ]);
    const wide = btf.enumeration("wide", 8, false, [
      { name: "TOP", value: 2n ** 63n },
      { name: "ONE", value: 1 },
    ]);
    expect(codecFor(btf, small).decode(Uint8Array.of(0xff), 0)).toBe("IDLE");
    expect(codecFor(btf, small).decode(Uint8Array.of(3), 0)).toBe(3);
    expect(encode(btf, small, "BUSY")).toEqual(Uint8Array.of(2));
    expect(encode(btf, small, 9)).toEqual(Uint8Array.of(9));
    expect(() => encode(btf, small, "BUZY")).toThrow('"BUZY" is not in enum state (did you mean "BUSY"?)');
    expect(codecFor(btf, wide).decode(encode(btf, wide, "TOP"), 0)).toBe("TOP");
    expect(codecFor(btf, wide).decode(encode(btf, wide, "ONE"), 0)).toBe("ONE");
    expect(codecFor(btf, wide).decode(encode(btf, wide, 2n ** 64n - 1n), 0)).toBe(2n ** 64n - 1n);
  });

  it("reads a data section as its variables", () => {
    const { btf, u32, bool } = basics();
    const limit = btf.add({ kind: BtfKind.VAR, name: "limit", type: u32, linkage: "global" });
    const on = btf.add({ kind: BtfKind.VAR, name: "on", type: bool, linkage: "global" });
    const section = (offset: number) =>
      btf.add({
        kind: BtfKind.DATASEC,
        name: ".rodata",
        size: 8,
        variables: [
          { type: on, offset, size: 1 },
          { type: limit, offset: 0, size: 4 },
        ],
      });
    expect(codecFor(btf, section(4)).decode(Uint8Array.of(9, 0, 0, 0, 1, 0, 0, 0), 0)).toEqual({ limit: 9, on: true });
    expect(() => codecFor(btf, section(0))).toThrow(MalformedError);
  });

  it("keeps a field named __proto__ a field", () => {
    const { btf, u32 } = basics();
    const codec = codecFor(btf, btf.struct("s", [{ name: "__proto__", type: u32 }]));
    const value = codec.decode(Uint8Array.of(7, 0, 0, 0), 0) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.entries(value)).toEqual([["__proto__", 7]]);
  });

  it("refuses types that contradict themselves or have no values", () => {
    const { btf, u64 } = basics();
    const broken = btf.add({
      kind: BtfKind.STRUCT,
      name: "s",
      size: 4,
      members: [{ name: "a", type: u64, bitOffset: 0, bitSize: 0 }],
    });
    expect(() => codecFor(btf, broken)).toThrow('member "a" ends at byte 8 of a type of 4 bytes');
    expect(() => codecFor(btf, 0)).toThrow(MalformedError);
    const empty = btf.struct("empty", []);
    expect(() => codecFor(btf, btf.array(empty, 2 ** 31))).toThrow("values in 0 bytes");
    let deep = u64;
    for (let level = 0; level < 100; level++) deep = btf.array(deep, 1);
    expect(() => codecFor(btf, deep)).toThrow("deep");
    let wide = btf.struct("w", []);
    for (let level = 0; level < 50; level++)
      wide = btf.struct("w", [
        { name: "a", type: wide },
        { name: "b", type: wide },
      ]);
    expect(() => codecFor(btf, wide)).toThrow("values in 0 bytes");
  });

  it("never reads or writes past the bytes that it was given", () => {
    const { btf, u64 } = basics();
    const bytes = new Uint8Array(32).subarray(0, 12);
    expect(() => codecFor(btf, u64).decode(bytes, 5)).toThrow(InvalidValueError);
    expect(() => codecFor(btf, u64).encode(1n, bytes, 5)).toThrow(InvalidValueError);
    expect(() => codecFor(btf, u64).decode(bytes, -1)).toThrow(InvalidValueError);
  });
});

describe("rawCodec", () => {
  it("copies, and takes exactly its size", () => {
    const codec = rawCodec(2);
    const bytes = Buffer.from([1, 2, 3, 4]);
    const value = codec.decode(bytes, 1);
    bytes.fill(0);
    expect(value).toEqual(Uint8Array.of(2, 3));
    codec.encode(value, bytes, 2);
    expect([...bytes]).toEqual([0, 0, 2, 3]);
    expect(() => codec.encode(new Uint8Array(3), bytes, 0)).toThrow("3 bytes given, 2 wanted");
  });
});

describe("perCpuCodec", () => {
  it("gives each CPU a slot of a multiple of 8 bytes", () => {
    const { btf, u32 } = basics();
    const codec = perCpuCodec(codecFor(btf, u32), 3);
    const bytes = new Uint8Array(24).fill(0xee);
    codec.encode([1, 2, 3], bytes, 0);
    expect([...bytes]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    expect(codec.decode(bytes, 0)).toEqual([1, 2, 3]);
    expect(() => codec.encode([1, 2], bytes, 0)).toThrow("2 values given, 3 wanted");
    expect(() => codec.encode([1, 2, -1], bytes, 0)).toThrow("CPU 2: -1 does not fit into u32");
  });
});
