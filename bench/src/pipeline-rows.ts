// SPDX-License-Identifier: Apache-2.0

import { closeSync, openSync, writeSync } from "node:fs";
import type { ColumnBatch, RowSchema } from "@skep/rows";

/** Rows of a batch: as many as a record reader hands out at once. */
const BATCH_ROWS = 4096;
const NODE = "bench";
const WORKLOAD = "pipeline";
/** 2026-01-01, in microseconds since 1970. */
const FIRST_TIME = 1_767_225_600_000_000;
const PROGRAMS = ["sh", "postgres", "node", "clang-19", "systemd-journald", "cc1", "kworker/u8:2-ev", "nginx"];

/** A stream of 8 columns, `time` included; a table has `node` and `workload` besides. */
export function benchSchema(name: string): RowSchema {
  return {
    name,
    columns: [
      { name: "cgroup", type: "u64" },
      { name: "pid", type: "u32" },
      { name: "ppid", type: "u32" },
      { name: "uid", type: "u32" },
      { name: "port", type: "i32" },
      { name: "truncated", type: "bool" },
      { name: "comm", type: "text" },
    ],
  };
}

/** The same rows for every schema of {@link benchSchema}. */
export function benchRows(schema: RowSchema, rows: number): ColumnBatch[] {
  const encoder = new TextEncoder();
  const programs = PROGRAMS.map((program) => encoder.encode(program));
  const batches: ColumnBatch[] = [];
  for (let first = 0; first < rows; first += BATCH_ROWS) {
    const length = Math.min(BATCH_ROWS, rows - first);
    const bits = new Uint32Array(length).map((_, row) => Math.imul(first + row + 1, 0x9e37_79b9));
    const comm = { offsets: new Uint32Array(length + 1), data: new Uint8Array(16 * length) };
    for (let row = 0; row < length; row++) {
      const program = programs[(bits[row] as number) >>> 29] as Uint8Array;
      const at = comm.offsets[row] as number;
      comm.data.set(program, at);
      comm.offsets[row + 1] = at + program.length;
    }
    batches.push({
      schema,
      node: NODE,
      workload: WORKLOAD,
      length,
      time: new Float64Array(length).map((_, row) => FIRST_TIME + 37 * (first + row)),
      vectors: [
        {
          kind: "scalar",
          values: new BigUint64Array(length).map((_, row) => (BigInt(bits[row] as number) << 32n) | 7n),
        },
        { kind: "scalar", values: bits.map((value) => value >>> 10) },
        { kind: "scalar", values: bits.map((value) => value >>> 12) },
        { kind: "scalar", values: bits },
        { kind: "scalar", values: new Int32Array(length).map((_, row) => (bits[row] as number) >>> 16) },
        { kind: "scalar", values: new Uint8Array(length).map((_, row) => (bits[row] as number) & 1) },
        { kind: "bytes", ...comm },
      ],
    });
  }
  return batches;
}

/**
 * Writes the rows as COPY's text format. Made without any of Skep's encoders, so that a mistake of theirs shows as
 * a difference between the tables.
 */
export function writeTextFile(path: string, batches: readonly ColumnBatch[]): void {
  const file = openSync(path, "wx");
  try {
    for (const batch of batches) {
      const lines = Array.from({ length: batch.length }, (_, row) => textLine(batch, row));
      writeSync(file, lines.join(""));
    }
  } finally {
    closeSync(file);
  }
}

const decoder = new TextDecoder();

function textLine({ node, workload, time, vectors }: ColumnBatch, row: number): string {
  const fields = vectors.map((vector, column) => {
    if (vector.kind === "bytes")
      return decoder.decode(vector.data.subarray(vector.offsets[row], vector.offsets[row + 1]));
    const value = vector.values[row] as number | bigint;
    return column === TRUNCATED ? (value === 0 ? "f" : "t") : String(value);
  });
  const microseconds = time[row] as number;
  const second = new Date(Math.floor(microseconds / 1_000_000) * 1000).toISOString().slice(0, 19).replace("T", " ");
  const fraction = String(microseconds % 1_000_000).padStart(6, "0");
  return `${[`${second}.${fraction}+00`, node, workload, ...fields].join("\t")}\n`;
}

/** Place of the column `truncated` in {@link benchSchema}. */
const TRUNCATED = 5;
