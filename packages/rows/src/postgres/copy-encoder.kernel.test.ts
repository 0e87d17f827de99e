// SPDX-License-Identifier: Apache-2.0

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BytesVector, ColumnType, Vector } from "@skep/ebpf";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RowObject } from "../cells/cell-value.ts";
import { rowObject } from "../cells/row-json.ts";
import { formatTime } from "../cells/time-text.ts";
import type { ColumnBatch } from "../column-batch.ts";
import type { RowSchema } from "../row-schema.ts";
import type { PostgresSink } from "../sinks/postgres-sink.ts";
import { openStore, type RowStore } from "../store/row-store.ts";

const TYPES: readonly ColumnType[] = [
  "bool",
  "i16",
  "i32",
  "u32",
  "i64",
  "u64",
  "f64",
  "time",
  "text",
  "texts",
  "bytes",
  "ip",
  "addresses",
];

const schema: RowSchema = { name: "every_type", columns: TYPES.map((type) => ({ name: `c_${type}`, type })) };

const u64 = fc.oneof(
  fc.constantFrom(0n, 1n, 9999n, 10_000n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const i64 = fc.oneof(
  fc.constantFrom(-(2n ** 63n), -1n, 2n ** 63n - 1n),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }).map((value) => Buffer.from(value)),
  // Not UTF-8, and NUL in the middle: as a kernel hands it over.
  fc.uint8Array({ maxLength: 20 }),
  fc.constant(Uint8Array.of(0xc3)),
);

/** A vector of so many rows, by type, from values of all kinds. */
function vectorOf(type: ColumnType, length: number): fc.Arbitrary<Vector> {
  const list = <Value>(value: fc.Arbitrary<Value>) => fc.array(value, { minLength: length, maxLength: length });
  const scalar = (values: fc.Arbitrary<Extract<Vector, { kind: "scalar" }>["values"]>) =>
    values.map((array): Vector => ({ kind: "scalar", values: array }));
  switch (type) {
    case "bool":
      return scalar(list(fc.nat({ max: 2 })).map((values) => Uint8Array.from(values)));
    case "i16":
      return scalar(list(fc.integer({ min: -32768, max: 32767 })).map((values) => Int16Array.from(values)));
    case "i32":
      return scalar(list(fc.integer()).map((values) => Int32Array.from(values)));
    case "u32":
      return scalar(list(fc.nat({ max: 0xffffffff })).map((values) => Uint32Array.from(values)));
    case "i64":
      return scalar(list(i64).map((values) => BigInt64Array.from(values)));
    case "u64":
      return scalar(list(u64).map((values) => BigUint64Array.from(values)));
    case "f64":
      return scalar(list(fc.double()).map((values) => Float64Array.from(values)));
    case "time":
      return scalar(list(fc.oneof(fc.maxSafeInteger(), fc.double())).map((values) => Float64Array.from(values)));
    case "ip":
      return list(fc.oneof(...[0, 3, 4, 16].map((size) => fc.uint8Array({ minLength: size, maxLength: size })))).map(
        bytesVector,
      );
    case "addresses":
      return list(fc.uint8Array({ maxLength: 40 })).map(bytesVector);
    case "texts":
      return list(
        fc
          .array(text, { maxLength: 4 })
          .map((texts) => Buffer.concat(texts.flatMap((each) => [each, Uint8Array.of(0)]))),
      ).map(bytesVector);
    default:
      return list(text).map(bytesVector);
  }
}

function bytesVector(cells: readonly Uint8Array[]): BytesVector {
  // The cells begin somewhere in the data, as those of a part of a larger batch do.
  const offsets = new Uint32Array(cells.length + 1);
  offsets[0] = 3;
  for (const [index, cell] of cells.entries()) offsets[index + 1] = offsets[index]! + cell.length;
  return { kind: "bytes", offsets, data: Buffer.concat([Buffer.from("???"), ...cells]) };
}

const batchArbitrary: fc.Arbitrary<Omit<ColumnBatch, "time">> = fc.integer({ min: 1, max: 20 }).chain((length) =>
  fc.record({
    schema: fc.constant(schema),
    node: fc.string({ unit: "grapheme", maxLength: 5 }),
    workload: fc.constant("w"),
    length: fc.constant(length),
    vectors: fc.tuple(
      ...TYPES.map((type) =>
        fc
          .tuple(vectorOf(type, length), fc.option(fc.uint8Array({ minLength: length, maxLength: length, max: 1 })))
          .map(([vector, nulls]): Vector => (nulls === null ? vector : { ...vector, nulls })),
      ),
    ),
  }),
);

let folder: string;
let store: RowStore;
let sink: PostgresSink;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "skep-copy-"));
  chmodSync(folder, 0o711);
  store = await openStore({ data: join(folder, "data") });
  sink = store.sink();
  await sink.open(schema);
});

afterAll(async () => {
  await sink?.close();
  await store?.close();
  rmSync(folder, { recursive: true });
});

async function readBetween(from: number, to: number): Promise<RowObject[]> {
  const rows: RowObject[] = [];
  const where = `time >= ${formatTime(from)} and time < ${formatTime(to)}`;
  for await (const some of store.query(schema.name, { where })) rows.push(...some);
  return rows;
}

describe("rows by COPY, read back from PostgreSQL", () => {
  it("are what they were, of every type", async () => {
    let sequence = 0;
    await fc.assert(
      fc.asyncProperty(batchArbitrary, async (parts) => {
        sequence++;
        const first = 1.7e15 + sequence * 1000;
        const batch: ColumnBatch = {
          ...parts,
          time: Float64Array.from({ length: parts.length }, (_, row) => first + row),
        };
        await sink.write([batch], sequence);
        const expected = Array.from({ length: batch.length }, (_, row) => rowObject(batch, row));
        expect(await readBetween(first, first + 1000)).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  it("come in blocks whatever their size", async () => {
    const length = 5000;
    const cells = Array.from({ length }, (_, row) => Buffer.from(`${row}:${"x".repeat(row % 700)}`));
    const narrow: RowSchema = { name: "wide_texts", columns: [{ name: "value", type: "text" }] };
    const batch: ColumnBatch = {
      schema: narrow,
      node: "n",
      workload: "w",
      length,
      time: Float64Array.from({ length }, (_, row) => row),
      vectors: [bytesVector(cells)],
    };
    await sink.open(narrow);
    await sink.write([batch, { ...batch, length: 10 }], 1);
    const values: unknown[] = [];
    for await (const rows of store.query("wide_texts", { columns: ["value"] }))
      values.push(...rows.map(({ value }) => value));
    expect(values.toSorted()).toEqual([...cells, ...cells.slice(0, 10)].map(String).toSorted());
  });
});
