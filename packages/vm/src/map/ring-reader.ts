// SPDX-License-Identifier: Apache-2.0

import {
  ClosedError,
  NotSupportedError,
  type ReaderCounters,
  type RecordBatch,
  RecordLease,
  type RecordReader,
  type RecordReaderOptions,
} from "@skep/ebpf";
import type { MapBlock } from "./map-block.ts";
import { MapWord } from "./map-header.ts";
import { iterateRecords, maxRecordsOf } from "./record-iteration.ts";
import { BUSY, DISCARD, RECORD_HEADER_SIZE, RecordRing } from "./record-ring.ts";
import { notifyReader, RecordSignal } from "./record-signal.ts";

/** The worker's number in a record's second word (bpf/maps-ring.bpf.c). */
const WORKER_MASK = 0x7f;

/** Reads a ring buffer in place: `bytes` of a batch is the ring's memory itself. Holds the map until it is closed. */
export class RingReader implements RecordReader {
  readonly counters: ReaderCounters;
  readonly #counters = { read: 0, discarded: 0, lost: 0 };
  readonly #object: string;
  readonly #options: RecordReaderOptions;
  readonly #maxRecords: number;
  readonly #ring: RecordRing;
  readonly #lease: RecordLease;
  readonly #signal: RecordSignal;
  readonly #block: MapBlock;
  #closed = false;

  constructor(block: MapBlock, options: RecordReaderOptions) {
    this.counters = this.#counters;
    this.#object = `reader of ${block.object}`;
    this.#options = options;
    this.#maxRecords = maxRecordsOf(options, this.#object);
    if (options.overwritable === true || options.wakeUpAfter !== undefined || options.perCpuBytes !== undefined) {
      throw new NotSupportedError(`an option of perf buffers for the ${this.#object}`);
    }
    const { memory } = block.space;
    const size = block.spec.maxEntries;
    this.#block = block;
    this.#ring = new RecordRing(memory, block.address, block.elements, size, 0);
    this.#lease = new RecordLease(memory.slice(block.elements, 2 * size), this.#maxRecords);
    this.#signal = new RecordSignal(block);
    block.hold();
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  poll(): RecordBatch | undefined {
    if (this.#closed) throw new ClosedError(this.#object);
    this.#ring.commit();
    const lease = this.#lease;
    lease.count = this.#ring.scan(lease, 0, this.#maxRecords);
    this.#counters.read += lease.count;
    this.#counters.discarded = this.#ring.discarded;
    if (lease.count > 0) return lease;
    // Nothing but discarded records: give their room back now, since nobody holds anything.
    this.#ring.commit();
    return undefined;
  }

  /** Ends when the reader is closed or the signal aborts. Throws ClosedError when it is closed already. */
  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    if (this.#closed) throw new ClosedError(this.#object);
    return iterateRecords(this, this.#signal, this.#options.signal);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lease.end();
    this.#ring.commit();
    this.#signal.end();
    this.#block.giveReader();
    this.#block.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Discards the records that this worker has reserved in a ring buffer, so that they do not hold up those behind them, and
 * wakes the reader. Nothing in other maps.
 */
export function abandonRecords(block: MapBlock): void {
  if (block.kind.shape !== "ring") return;
  const { words, space, spec, elements } = block;
  const { memory, cpu } = space;
  const start = memory.index(elements);
  const all = new Int32Array(memory.wasm.buffer);
  let offset = Atomics.load(words, MapWord.CONSUMER);
  let found = false;
  let left = (Atomics.load(words, MapWord.PRODUCER) - offset) >>> 0;
  while (left > 0) {
    offset = (offset & (spec.maxEntries - 1)) >>> 0;
    const at = (start + offset) >>> 2;
    const header = Atomics.load(all, at);
    const length = header & ~(BUSY | DISCARD);
    if ((header & BUSY) !== 0 && ((all[at + 1] ?? 0) & WORKER_MASK) === (cpu & WORKER_MASK)) {
      memory.setRegion(elements + offset + RECORD_HEADER_SIZE, length, "none");
      Atomics.store(all, at, length | DISCARD);
      Atomics.add(words, MapWord.SIGNALS, 1);
      found = true;
    }
    const step = (length + RECORD_HEADER_SIZE + 7) & ~7;
    offset += step;
    left -= step;
  }
  if (found) notifyReader(block);
}
