// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidValueError } from "../errors.ts";
import { batchOf, cell } from "./btf/batch.test-kit.ts";
import type { ColumnEncoding, ColumnLayout } from "./column-layout.ts";
import { RecordDecoder } from "./record-decoder.ts";

const text = (value: unknown) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(value as Uint8Array);

/** The text or bytes that records of one field, given by their bytes, decode to. */
function decodeField(layout: Partial<ColumnLayout> & { encoding: ColumnEncoding }, records: readonly Uint8Array[]) {
  const size = layout.size ?? 16;
  const full = { name: "x", type: "bytes" as const, offset: 0, ...layout, size };
  const decoder = new RecordDecoder([full], { recordSize: size });
  const decoded = decoder.decode(batchOf(records), 0n);
  return records.map((_, row) => cell(decoded.vectors[0], row));
}

const ascii = (value: string) => new TextEncoder().encode(value);

describe("RecordDecoder", () => {
  it("turns the engine's clock into exact microseconds", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 62n }),
        fc.bigInt({ min: -(10n ** 15n), max: 2n * 10n ** 18n }),
        fc.constantFrom("little", "big"),
        (clock, offset, byteOrder) => {
          const layout = { name: "t", type: "time", encoding: "ktime", offset: 0, size: 8 } as const;
          const record = new Uint8Array(8);
          new DataView(record.buffer).setBigUint64(0, clock, byteOrder === "little");
          const options = { recordSize: 8, byteOrder: byteOrder as "little" | "big" };
          const { time } = new RecordDecoder([layout], options).decode(batchOf([record]), offset);
          const nanoseconds = clock + offset;
          const floor = (nanoseconds - (((nanoseconds % 1000n) + 1000n) % 1000n)) / 1000n;
          expect(time?.[0]).toBe(Number(floor));
        },
      ),
    );
  });

  it("gives the time of the first time column, and none without one", () => {
    const layouts: ColumnLayout[] = [
      { name: "n", type: "u32", encoding: "integer", offset: 16, size: 4 },
      { name: "b", type: "time", encoding: "ktime", offset: 8, size: 8 },
      { name: "a", type: "time", encoding: "ktime", offset: 0, size: 8 },
    ];
    const record = new Uint8Array(new BigUint64Array([1000n, 2000n, 3n]).buffer);
    const decode = (list: ColumnLayout[]) =>
      new RecordDecoder(list, { recordSize: 24 }).decode(batchOf([record]), 5000n);
    expect(decode(layouts).time).toEqual(Float64Array.of(7));
    expect(decode(layouts.slice(0, 1)).time).toBeUndefined();
  });

  it("leaves out and counts records shorter than the fixed columns, and lets the last text be cut", () => {
    const layouts: ColumnLayout[] = [
      { name: "id", type: "u32", encoding: "integer", offset: 0, size: 4 },
      { name: "name", type: "text", encoding: "cstring", offset: 4, size: 100 },
    ];
    const decoder = new RecordDecoder(layouts, { recordSize: 104 });
    expect(decoder.minimumSize).toBe(4);
    const decoded = decoder.decode(
      batchOf([
        Uint8Array.of(1, 0, 0, 0),
        Uint8Array.of(2, 0, 0),
        Uint8Array.of(3, 0, 0, 0, 0x61, 0x62),
        new Uint8Array(),
      ]),
      0n,
    );
    expect([decoded.length, decoded.malformed]).toEqual([2, 2]);
    expect([0, 1].map((row) => cell(decoded.vectors[0], row))).toEqual([1, 3]);
    expect([0, 1].map((row) => text(cell(decoded.vectors[1], row)))).toEqual(["", "ab"]);
    expect(new RecordDecoder(layouts, { recordSize: 104, minimumSize: 6 }).minimumSize).toBe(6);
  });

  it("does not let a fixed column after a text be cut", () => {
    const layouts: ColumnLayout[] = [
      { name: "name", type: "text", encoding: "cstring", offset: 0, size: 12 },
      { name: "id", type: "u32", encoding: "integer", offset: 12, size: 4 },
    ];
    expect(new RecordDecoder(layouts, { recordSize: 16 }).minimumSize).toBe(16);
  });

  it("counts records that lie outside of the batch's bytes as malformed", () => {
    const layout: ColumnLayout = { name: "id", type: "u32", encoding: "integer", offset: 0, size: 4 };
    const batch = { ...batchOf([new Uint8Array(4), new Uint8Array(4)]), offsets: Uint32Array.of(8, 4096) };
    const decoded = new RecordDecoder([layout], { recordSize: 4 }).decode(batch, 0n);
    expect([decoded.length, decoded.malformed]).toEqual([1, 1]);
  });

  it("copies text of any length to the first NUL, whatever bytes it holds", () => {
    const long = `${"é".repeat(700)}`;
    const records = [ascii(`${long}\0rest`), ascii("short\0"), Uint8Array.of(0xff, 0xfe, 0), ascii("x".repeat(49))];
    const cells = decodeField({ encoding: "cstring", type: "text", size: 2000 }, records);
    expect(cells.map(text)).toEqual([long, "short", "\ufffd\ufffd", "x".repeat(49)]);
    expect(cells[2]).toEqual(Uint8Array.of(0xff, 0xfe));
  });

  it("copies text of records of any length, cut anywhere, however much came before", () => {
    const size = 40;
    const layouts: ColumnLayout[] = [{ name: "x", type: "text", encoding: "cstring", offset: 0, size }];
    const batches = fc.array(fc.array(fc.uint8Array({ maxLength: size }), { minLength: 1, maxLength: 20 }));
    fc.assert(
      fc.property(batches, (list) => {
        const decoder = new RecordDecoder(layouts, { recordSize: size });
        for (const records of list) {
          const { vectors } = decoder.decode(batchOf(records), 0n);
          for (const [row, record] of records.entries()) {
            const end = record.indexOf(0);
            expect(cell(vectors[0], row)).toEqual(end < 0 ? record : record.slice(0, end));
          }
        }
      }),
    );
  });

  it("keeps lists of texts with their terminators, empty texts included", () => {
    const cells = decodeField({ encoding: "cstrings", type: "texts" }, [
      ascii("ls\0\0-l\0"),
      ascii("ls\0\0-l\0".padEnd(16, "\0")),
      ascii("echo\0\0"),
      ascii("cut of"),
      ascii("exactly sixteen!"),
      new Uint8Array(16),
      new Uint8Array(0),
    ]);
    expect(cells.map(text)).toEqual(["ls\0\0-l\0", "ls\0\0-l\0", "echo\0\0", "cut of\0", "exactly sixteen!\0", "", ""]);
  });

  it("shows IPv4-mapped addresses as IPv4", () => {
    const cells = decodeField({ encoding: "ip", type: "ip" }, [
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1),
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1),
    ]);
    expect(cells.map((value) => (value as Uint8Array).length)).toEqual([4, 16]);
    expect(cells[0]).toEqual(Uint8Array.of(192, 0, 2, 1));
  });

  it("reads ports and IPv4 addresses in network order from records of either order", () => {
    for (const byteOrder of ["little", "big"] as const) {
      const layouts: ColumnLayout[] = [
        { name: "port", type: "i32", encoding: "port", offset: 0, size: 2 },
        { name: "ip", type: "ip", encoding: "ipv4", offset: 4, size: 4 },
      ];
      const decoder = new RecordDecoder(layouts, { recordSize: 8, byteOrder });
      const { vectors } = decoder.decode(batchOf([Uint8Array.of(0x1f, 0x90, 0, 0, 127, 0, 0, 1)]), 0n);
      expect(cell(vectors[0], 0)).toBe(8080);
      expect(cell(vectors[1], 0)).toEqual(Uint8Array.of(127, 0, 0, 1));
    }
  });

  it("ends a stack at its first 0 and at its last whole address", () => {
    const addresses = (...values: bigint[]) => new Uint8Array(new BigUint64Array(values).buffer);
    const cells = decodeField({ encoding: "stack", type: "addresses", size: 32 }, [
      addresses(1n, 2n ** 63n, 0n, 4n),
      addresses(1n, 2n, 3n, 4n),
      addresses(1n, 2n).subarray(0, 13),
    ]);
    expect(cells).toEqual([addresses(1n, 2n ** 63n), addresses(1n, 2n, 3n, 4n), addresses(1n)]);
    const layout = { name: "s", type: "addresses", encoding: "stack", offset: 0, size: 8 } as const;
    const big = new RecordDecoder([layout], { recordSize: 8, byteOrder: "big" });
    expect(cell(big.decode(batchOf([Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2)]), 0n).vectors[0], 0)).toEqual(
      addresses(0x102n),
    );
  });

  it("shows enums by label, and others by number", () => {
    const labels = new Map([
      [1, "BUSY"],
      [-1, "IDLE"],
    ]);
    const layout = { encoding: "enum", type: "text", size: 1, signed: true, labels } as const;
    const cells = decodeField(layout, [Uint8Array.of(1), Uint8Array.of(255), Uint8Array.of(0x9c)]);
    expect(cells.map(text)).toEqual(["BUSY", "IDLE", "-100"]);
  });

  it("makes new vectors each time, however much longer the texts become", () => {
    const layout: ColumnLayout = { name: "x", type: "text", encoding: "cstring", offset: 0, size: 64 };
    const decoder = new RecordDecoder([layout], { recordSize: 64 });
    const batches = ["a", "b".repeat(60), "c"].map((value) =>
      decoder.decode(batchOf([ascii(value), ascii(value)]), 0n),
    );
    expect(batches.map(({ vectors }) => text(cell(vectors[0], 1)))).toEqual(["a", "b".repeat(60), "c"]);
  });

  it("refuses columns that are not within the record or cannot be read", () => {
    const layout: ColumnLayout = { name: "x", type: "u32", encoding: "integer", offset: 6, size: 4 };
    expect(() => new RecordDecoder([layout], { recordSize: 8 })).toThrow(InvalidValueError);
    expect(() => new RecordDecoder([{ ...layout, size: 3 }], { recordSize: 16 })).toThrow(
      'column "x": 3 bytes cannot be read as integer into u32',
    );
  });
});
