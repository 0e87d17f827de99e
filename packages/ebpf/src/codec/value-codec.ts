// SPDX-License-Identifier: Apache-2.0

/**
 * A node of the tree that `codecFor` builds: reads and writes one type at an absolute position of a view.
 * Positions are checked once at the root, so nodes never check them again.
 */
export interface ValueCodec {
  /** Bytes of one value. */
  readonly size: number;
  /** Values that one read makes, those inside it included: what a hostile type could make endless. */
  readonly cells: number;
  /** Set for what keys and values are most often, so that it is read and written without a call into the tree. */
  readonly plain?: "u32" | "u64";
  read(view: DataView, at: number): unknown;
  /** Writes into bytes that are zero. Throws EncodeProblem. */
  write(value: unknown, view: DataView, at: number): void;
}
