// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteCursor } from "./cursor.ts";
import { MalformedError } from "./errors.ts";

const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0xf8);

describe("ByteCursor", () => {
  it("reads numbers in either byte order", () => {
    const little = new ByteCursor(bytes, "little", "test");
    expect([little.u8(), little.u16(), little.u32()]).toEqual([1, 0x0302, 0x07060504]);
    const big = new ByteCursor(bytes, "big", "test");
    expect([big.u16At(0), big.u32At(4), big.i32At(4)]).toEqual([0x0102, 0x050607f8, 0x050607f8]);
    expect(little.i32At(4)).toBe(0xf8070605 | 0);
    expect(little.u64At(0)).toBe(0xf807060504030201n);
    expect(big.u64At(0)).toBe(0x01020304050607f8n);
    expect(big.size64At(0)).toBe(Number(0x01020304050607f8n));
    expect(little.size64At(0)).toBe(Number(0xf807060504030201n));
  });

  it("advances, skips and takes without copying", () => {
    const cursor = new ByteCursor(bytes, "little", "test");
    cursor.skip(2);
    expect(cursor.take(3)).toEqual(Uint8Array.of(3, 4, 5));
    expect(cursor.take(1).buffer).toBe(bytes.buffer);
    expect(cursor.remaining).toBe(2);
    cursor.seek(8);
    expect(cursor.remaining).toBe(0);
  });

  it("names the place and the offset of a read past the end", () => {
    const cursor = new ByteCursor(bytes, "little", "symbol table");
    cursor.seek(6);
    expect(() => cursor.u32()).toThrow("symbol table at byte 6: 4 bytes wanted, the end is at byte 8");
    expect(cursor.offset).toBe(6);
  });

  it("never reads past its own bytes, even when the buffer goes on", () => {
    fc.assert(
      fc.property(fc.integer({ min: -4, max: 40 }), fc.integer({ min: 0, max: 40 }), (offset, size) => {
        const cursor = new ByteCursor(new Uint8Array(new ArrayBuffer(64), 8, 16), "little", "test");
        const fits = offset >= 0 && offset + size <= 16;
        if (fits) expect(cursor.slice(offset, size).length).toBe(size);
        else expect(() => cursor.slice(offset, size)).toThrow(MalformedError);
      }),
    );
  });
});
