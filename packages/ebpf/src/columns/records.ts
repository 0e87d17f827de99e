// SPDX-License-Identifier: Apache-2.0

import type { Vector } from "../vector.ts";

/** The records of one batch, every one long enough for the fixed fields. One object, reused for all batches. */
export interface Records {
  count: number;
  /** The batch's bytes in several forms; a rest of less than an element is left out. */
  bytes: Uint8Array;
  view: DataView;
  halves: Uint16Array;
  words: Uint32Array;
  /** Whether `halves` and `words` can be used: every record begins at a multiple of 8, in the buffer too. */
  aligned: boolean;
  /** Where each record begins in the bytes, and how long it is; the first `count` elements are valid. */
  starts: Uint32Array;
  lengths: Uint32Array;
  /** Wall clock in nanoseconds at 0 of the engine's clock: `offsetMicroseconds * 1000 + offsetRest`, with `offsetRest` in 0..999. */
  offsetMicroseconds: number;
  offsetRest: number;
}

/** Decodes one column of all records into a new vector: one loop over one kind of value. */
export type ColumnDecoder = (records: Records) => Vector;
