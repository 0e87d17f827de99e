// SPDX-License-Identifier: Apache-2.0

import type { Vector } from "../vector.ts";

/** The records of one batch, every one long enough for the fixed fields. One object, reused for all batches. */
export interface Records {
  count: number;
  /** The whole buffer that the records lie in, in two forms. */
  view: DataView;
  bytes: Uint8Array;
  /** Where each record begins and ends in the buffer. */
  starts: Uint32Array;
  ends: Uint32Array;
  /** Wall clock in nanoseconds at 0 of the engine's clock: `offsetMicroseconds * 1000 + offsetRest`, with `offsetRest` in 0..999. */
  offsetMicroseconds: number;
  offsetRest: number;
}

/** Decodes one column of all records into a new vector: one loop over one kind of value. */
export type ColumnDecoder = (records: Records) => Vector;
