// SPDX-License-Identifier: Apache-2.0

import type { ColumnBatch } from "./column-batch.ts";

/** Memory that a batch keeps alive in its vectors, in bytes. */
export function batchBytes(batch: ColumnBatch): number {
  let bytes = batch.time.byteLength;
  for (const vector of batch.vectors) {
    bytes += vector.kind === "scalar" ? vector.values.byteLength : vector.offsets.byteLength + vector.data.byteLength;
    bytes += vector.nulls?.byteLength ?? 0;
  }
  return bytes;
}
