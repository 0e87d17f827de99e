// SPDX-License-Identifier: Apache-2.0

import type { RecordBatch } from "./record-batch.ts";

/** The one batch of a reader, filled anew for each call and emptied when the reader is closed. */
export class RecordLease implements RecordBatch {
  count = 0;
  lost = 0;
  bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;

  constructor(bytes: Uint8Array, maxRecords: number) {
    this.bytes = bytes;
    this.offsets = new Uint32Array(maxRecords);
    this.lengths = new Uint32Array(maxRecords);
  }

  /** Leaves nothing to see. */
  end(): void {
    this.count = 0;
    this.lost = 0;
    this.bytes = new Uint8Array(0);
  }
}
