// SPDX-License-Identifier: Apache-2.0

import type { RecordBatch } from "../../record-batch.ts";
import type { Vector } from "../../vector.ts";

/** Records as a ring has them: each at a multiple of 8, with something else between them. For tests alone. */
export function batchOf(records: readonly Uint8Array[]): RecordBatch {
  const offsets: number[] = [];
  let end = 8;
  for (const record of records) {
    offsets.push(end);
    end += Math.ceil(record.length / 8) * 8 + 8;
  }
  const bytes = new Uint8Array(end + 8).fill(0xdd).subarray(8);
  for (const [index, record] of records.entries()) bytes.set(record, offsets[index]);
  return {
    count: records.length,
    bytes,
    offsets: Uint32Array.from(offsets),
    lengths: Uint32Array.from(records, (record) => record.length),
    lost: 0,
  };
}

/** The value of a row: a number, or the bytes of its cell. For tests alone. */
export function cell(vector: Vector | undefined, row: number): number | bigint | Uint8Array | undefined {
  if (vector?.kind === "bytes") return vector.data.slice(vector.offsets[row], vector.offsets[row + 1]);
  return vector?.values[row];
}
