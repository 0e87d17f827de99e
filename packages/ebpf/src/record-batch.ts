// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "./errors.ts";

/**
 * Records as a program wrote them, read from a ring buffer or a perf buffer.
 *
 * A batch is a lease: `bytes` shows the kernel's memory, not a copy, and the records are given back when the
 * next batch is asked for or the reader is closed. Decode or copy what must live longer.
 */
export interface RecordBatch {
  /** How many records there are. */
  readonly count: number;
  /** The memory that the records lie in. */
  readonly bytes: Uint8Array;
  /** Where each record begins in `bytes`; a multiple of 8. The first `count` elements are valid. */
  readonly offsets: Uint32Array;
  /** Length of each record in bytes. */
  readonly lengths: Uint32Array;
  /** Records that the kernel reports as lost since the batch before (perf buffers; 0 for ring buffers). */
  readonly lost: number;
}

/** A record of a batch where it lies: for as long as the batch is leased, without a copy. */
export function recordOf(batch: RecordBatch, index: number): Uint8Array {
  const [offset, length] = placeOf(batch, index);
  return batch.bytes.subarray(offset, offset + length);
}

/**
 * A copy of a record, which is the caller's to keep: in new memory, or at the start of `target`, which is used again and
 * again. Returns the copied bytes. Throws InvalidValueError when `target` is too small.
 */
export function copyRecord(batch: RecordBatch, index: number, target?: Uint8Array): Uint8Array {
  const [offset, length] = placeOf(batch, index);
  const copy = target?.subarray(0, length) ?? new Uint8Array(length);
  if (copy.length < length) {
    throw new InvalidValueError(`record ${index} is ${length} bytes, the target has ${target?.length}`);
  }
  copy.set(batch.bytes.subarray(offset, offset + length));
  return copy;
}

function placeOf({ count, offsets, lengths }: RecordBatch, index: number): [offset: number, length: number] {
  const offset = offsets[index];
  const length = lengths[index];
  if (offset !== undefined && length !== undefined && index < count) return [offset, length];
  throw new InvalidValueError(`there is no record ${index}, the batch has ${count}`);
}

/** What a record reader counted since it was opened. */
export interface ReaderCounters {
  /** Records handed out. */
  readonly read: number;
  /** Records that the program reserved and then discarded. */
  readonly discarded: number;
  /** Records that the kernel reported as lost. */
  readonly lost: number;
}

/** How a reader waits and how much it hands out at once. */
export interface RecordReaderOptions {
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal;
  /** Most records in one batch; 4096 unless given. */
  readonly maxRecords?: number;
  /** Perf buffers only: bytes of each CPU's buffer, a power of two of pages; 64 pages unless given. */
  readonly perCpuBytes?: number;
  /**
   * Perf buffers only: how many records, or bytes of a CPU's buffer, the kernel collects before it wakes the reader; each
   * record unless given. Fewer wake-ups for later ones: what lies below the mark waits for more, or for `poll`.
   */
  readonly wakeUpAfter?: { readonly records: number } | { readonly bytes: number };
  /**
   * Perf buffers only (4.7): the kernel writes over the oldest records instead of losing new ones. `poll` then takes
   * a snapshot: the newest records since the one before, each CPU's from old to new. There is nothing to wait for,
   * so the reader is not iterated.
   */
  readonly overwritable?: boolean;
}

/**
 * Reads records batch by batch: `for await (const batch of reader)`. One consumer at a time. Leaving the loop
 * does not close the reader.
 */
export interface RecordReader extends AsyncIterable<RecordBatch>, Disposable {
  readonly counters: ReaderCounters;
  /** What lies unread at this moment, without waiting; undefined when there is nothing. */
  poll(): RecordBatch | undefined;
  /** Gives back the memory and the descriptors. Batches that were handed out become empty. */
  close(): void;
}
