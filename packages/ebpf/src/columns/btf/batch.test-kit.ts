// SPDX-License-Identifier: Apache-2.0

import type { RecordBatch } from "../../record-batch.ts";
import type { Vector } from "../../vector.ts";

/**
 * Records as a ring has them: each at a multiple of 8, with something else between them, the last one at the very end
 * of the memory. `shift` moves them all, out of alignment when it is no multiple of 8. For tests alone.
 */
export function batchOf(records: readonly Uint8Array[], shift = 0): RecordBatch {
  const offsets: number[] = [];
  let end = 0;
  for (const record of records) {
    offsets.push(Math.ceil(end / 8) * 8 + 8);
    end = Math.ceil(end / 8) * 8 + 8 + record.length;
  }
  const bytes = new Uint8Array(8 + shift + end).fill(0xdd).subarray(8 + shift);
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
