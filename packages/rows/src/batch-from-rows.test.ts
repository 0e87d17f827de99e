// SPDX-License-Identifier: Apache-2.0

import type { ColumnType } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { batchBytes } from "./batch-bytes.ts";
import { batchOf } from "./batch-from-rows.ts";
import { checkBatch } from "./check-schema.ts";
import { RowValueError } from "./errors.ts";

const origin = { node: "n", workload: "w" };
const schemaOf = (type: ColumnType) => ({ name: "s", columns: [{ name: "c", type }] });

describe("batchOf", () => {
  it.each<[ColumnType, unknown]>([
    ["bool", 1],
    ["i16", 32768],
    ["i32", 1.5],
    ["u32", -1],
    ["i64", 2n ** 63n],
    ["u64", 2n ** 64n],
    ["u64", "1"],
    ["f64", 1n],
    ["time", "yesterday"],
    ["time", Number.NaN],
    ["text", 5],
    ["texts", ["a\0b"]],
    ["texts", "a"],
    ["bytes", [1, 2]],
    ["ip", "1.2.3"],
    ["ip", new Uint8Array(5)],
    ["addresses", [1]],
    ["addresses", [-1n]],
  ])("refuses for %s the value %s", (type, value) => {
    expect(() => batchOf(schemaOf(type), origin, [{}, { c: value }])).toThrow(
      /stream "s", row 1, column "c": found .*, wanted/,
    );
  });

  it("refuses a member that is no column, and lists the columns", () => {
    expect(() => batchOf(schemaOf("text"), origin, [{ d: 1 }])).toThrow(
      'row 0: no column "d"; there are time, node, workload, c',
    );
  });

  it("takes extremes, and every way to say no value", () => {
    const { vectors } = batchOf(schemaOf("u64"), origin, [
      { c: 2n ** 64n - 1n },
      { c: 0 },
      {},
      { c: null },
      { c: undefined },
    ]);
    expect(vectors).toEqual([
      {
        kind: "scalar",
        values: BigUint64Array.of(2n ** 64n - 1n, 0n, 0n, 0n, 0n),
        nulls: Uint8Array.of(0, 0, 1, 1, 1),
      },
    ]);
  });

  it("makes batches that pass the check, and that know their size", () => {
    const batch = batchOf(schemaOf("text"), origin, [{ c: "abc" }, { c: "" }]);
    checkBatch(batch);
    expect(batchBytes(batch)).toBe(2 * 8 + 3 * 4 + 3);
  });
});

describe("checkBatch", () => {
  const batch = batchOf(schemaOf("text"), origin, [{ c: "abc" }]);

  it("refuses a vector of the wrong kind", () => {
    const vectors = [{ kind: "scalar" as const, values: new Uint8Array(1) }];
    expect(() => checkBatch({ ...batch, vectors })).toThrow(RowValueError);
  });

  it("refuses a vector that is too short, or ends outside its data", () => {
    expect(() => checkBatch({ ...batch, length: 2, time: new Float64Array(2) })).toThrow(
      /does not hold 2 values of type text/,
    );
    const vectors = [{ kind: "bytes" as const, offsets: Uint32Array.of(0, 4), data: new Uint8Array(3) }];
    expect(() => checkBatch({ ...batch, vectors })).toThrow(RowValueError);
  });

  it("refuses a missing vector", () => {
    expect(() => checkBatch({ ...batch, vectors: [] })).toThrow(/0 vectors/);
  });
});
