// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchOf } from "../batch-from-rows.ts";
import type { ColumnBatch } from "../column-batch.ts";
import type { RowSchema } from "../row-schema.ts";
import { formatCell } from "./format-cell.ts";
import { encodeJsonObject, encodeJsonRow, rowObject } from "./row-json.ts";

const schema: RowSchema = {
  name: "all",
  columns: [
    { name: "flag", type: "bool" },
    { name: "small", type: "i16" },
    { name: "big", type: "i64" },
    { name: "huge", type: "u64" },
    { name: "real", type: "f64" },
    { name: "at", type: "time" },
    { name: "comm", type: "text" },
    { name: "args", type: "texts" },
    { name: "raw", type: "bytes" },
    { name: "source", type: "ip" },
    { name: "stack", type: "addresses" },
  ],
};
const origin = { node: 'n"1', workload: "w" };

const row = fc.record(
  {
    flag: fc.boolean(),
    small: fc.integer({ min: -32768, max: 32767 }),
    big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    huge: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    real: fc.double(),
    at: fc.maxSafeInteger(),
    comm: fc.string({ unit: "binary" }),
    args: fc.array(fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", ""))),
    raw: fc.uint8Array(),
    source: fc.constantFrom("10.0.0.1", "::1"),
    stack: fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  },
  { requiredKeys: [] },
);

describe("encodeJsonRow", () => {
  it("writes 64-bit integers exactly, and every type in its place", () => {
    const batch = batchOf(schema, origin, [
      {
        time: 1_700_000_000_000_001,
        flag: true,
        small: -1,
        big: -(2n ** 63n),
        huge: 2n ** 64n - 1n,
        real: 0.5,
        at: 0,
        comm: 'a"b',
        args: ["x", "", "y z"],
        raw: Uint8Array.of(0, 255),
        source: "::1",
        stack: [0xffffffff81000000n],
      },
    ]);
    expect(encodeJsonRow(batch, 0)).toBe(
      '{"time":"2023-11-14T22:13:20.000001Z","node":"n\\"1","workload":"w","flag":true,"small":-1,' +
        '"big":-9223372036854775808,"huge":18446744073709551615,"real":0.5,"at":"1970-01-01T00:00:00.000000Z",' +
        '"comm":"a\\"b","args":["x","","y z"],"raw":"AP8=","source":"::1","stack":["0xffffffff81000000"]}',
    );
  });

  it("is what the row's object gives, and JSON that reads back", () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), (rows) => {
        const batch = batchOf(schema, origin, rows);
        for (let index = 0; index < rows.length; index++) {
          const line = encodeJsonRow(batch, index);
          expect(line).toBe(encodeJsonObject(rowObject(batch, index)));
          expect(line).not.toContain("\n");
          const parsed = JSON.parse(line) as { comm: unknown; args: unknown };
          expect(parsed.comm).toEqual(rows[index]?.comm?.replaceAll("\0", "").toWellFormed() ?? null);
          expect(parsed.args).toEqual(rows[index]?.args?.map((text) => text.toWellFormed()) ?? null);
        }
      }),
    );
  });

  it("shows bytes that are not UTF-8 as U+FFFD, and no value for what means nothing", () => {
    const batch: ColumnBatch = {
      schema: {
        name: "odd",
        columns: [
          { name: "comm", type: "text" },
          { name: "source", type: "ip" },
          { name: "at", type: "time" },
          { name: "args", type: "texts" },
        ],
      },
      ...origin,
      length: 1,
      time: new Float64Array(1),
      vectors: [
        { kind: "bytes", offsets: Uint32Array.of(0, 3), data: Uint8Array.of(0x61, 0xff, 0x00) },
        { kind: "bytes", offsets: Uint32Array.of(0, 3), data: new Uint8Array(3) },
        { kind: "scalar", values: Float64Array.of(Number.NaN) },
        { kind: "bytes", offsets: Uint32Array.of(0, 4), data: Uint8Array.of(0x61, 0, 0xff, 0x62) },
      ],
    };
    expect(JSON.parse(encodeJsonRow(batch, 0))).toMatchObject({
      comm: "a\ufffd",
      source: null,
      at: null,
      args: ["a", "\ufffdb"],
    });
  });
});

describe("formatCell", () => {
  const cells = (values: object): string[] => {
    const batch = batchOf(schema, origin, [values]);
    return schema.columns.map((column, index) => {
      const vector = batch.vectors[index];
      return vector === undefined ? "missing" : formatCell(column, vector, 0);
    });
  };

  it("escapes what would draw on a terminal", () => {
    expect(cells({ comm: "\u001b[31mred\n\u202e" })[6]).toBe("\\x1b[31mred\\n\\u202e");
  });

  it("quotes texts of a list that hold spaces", () => {
    expect(cells({ args: ["sh", "-c", 'echo "hi"', ""] })[7]).toBe('sh -c "echo \\"hi\\"" ""');
  });

  it("shows bytes in hexadecimal and no value as nothing", () => {
    expect(cells({ raw: Uint8Array.of(1, 255) })[8]).toBe("01ff");
    expect(cells({})).toEqual(schema.columns.map(() => ""));
  });
});
