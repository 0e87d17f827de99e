// SPDX-License-Identifier: Apache-2.0

import {
  ClosedError,
  type MapSpec,
  type ReaderCounters,
  type RecordBatch,
  RecordLease,
  type RecordReader,
  type RecordReaderOptions,
} from "@skep/ebpf";
import { type FileDescriptor, MappedMemory, Poller, pageSize } from "@skep/linux";
import { iterateRecords, maxRecordsOf } from "./record-iteration.ts";

/** BPF_RINGBUF_BUSY_BIT: reserved, not yet submitted or discarded. */
const BUSY = 0x8000_0000;
/** BPF_RINGBUF_DISCARD_BIT. */
const DISCARD = 0x4000_0000;
const HEADER_SIZE = 8;

/**
 * Reads a BPF ring buffer (Linux 5.8; kernel/bpf/ringbuf.c) in place.
 *
 * The kernel shows three things: a page with the consumer's position, which is ours to write; a page with the
 * producer's; and the data, mapped twice in a row so that a record that wraps still lies in one piece. Positions are
 * 64-bit and only grow. `bytes` of a batch is that data itself, mapped for reading: a write to it ends the process.
 */
export class RingReader implements RecordReader {
  readonly counters: ReaderCounters;
  readonly #counters = { read: 0, discarded: 0, lost: 0 };
  readonly #object: string;
  readonly #options: RecordReaderOptions;
  readonly #resources: DisposableStack;
  readonly #poller: Poller;
  readonly #consumer: BigInt64Array;
  readonly #producer: Int32Array;
  readonly #headers: Uint32Array;
  readonly #fence = new Int32Array(1);
  readonly #lease: RecordLease;
  readonly #maxRecords: number;
  readonly #mask: number;
  #position: number;
  #committed: number;

  /** Duplicates the map's descriptor. `released` is called when the reader is closed. */
  constructor(map: FileDescriptor, spec: MapSpec, options: RecordReaderOptions, released: () => void) {
    this.counters = this.#counters;
    this.#object = `reader of map "${spec.name}"`;
    this.#options = options;
    this.#maxRecords = maxRecordsOf(options, this.#object);
    const object = `map "${spec.name}"`;
    const size = spec.maxEntries;
    const page = pageSize();
    using building = new DisposableStack();
    const fd = building.use(map.duplicate());
    const own = building.use(new MappedMemory({ fd: fd.number, length: page, writable: true, object }));
    const shared = building.use(new MappedMemory({ fd: fd.number, offset: page, length: page + 2 * size, object }));
    this.#poller = building.use(new Poller(fd.number));
    this.#consumer = new BigInt64Array(own.buffer, 0, 1);
    // The lower half of the position: see #available.
    this.#producer = new Int32Array(shared.buffer, 0, 1);
    this.#headers = new Uint32Array(shared.buffer, page, (2 * size) / 4);
    this.#lease = new RecordLease(new Uint8Array(shared.buffer, page, 2 * size), this.#maxRecords);
    this.#mask = size - 1;
    this.#position = Number(Atomics.load(this.#consumer, 0));
    this.#committed = this.#position;
    // Disposed last to first: the records are given back while the memory is still there, the poller goes before
    // the descriptor.
    building.defer(() => this.#commit());
    building.defer(() => this.#lease.end());
    building.defer(released);
    this.#resources = building.move();
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#resources.disposed;
  }

  poll(): RecordBatch | undefined {
    if (this.closed) throw new ClosedError(this.#object);
    this.#commit();
    const lease = this.#lease;
    lease.count = this.#scan();
    this.#counters.read += lease.count;
    if (lease.count > 0) return lease;
    // Nothing but discarded records: give their room back now, since nobody holds anything.
    this.#commit();
    return undefined;
  }

  /** Ends when the reader is closed or the signal aborts. Throws ClosedError when it is closed already. */
  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    if (this.closed) throw new ClosedError(this.#object);
    return iterateRecords(this, this.#poller, this.#options.signal);
  }

  close(): void {
    this.#resources.dispose();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Steps over the records from the current position and notes where they are. */
  #scan(): number {
    const { offsets, lengths } = this.#lease;
    const headers = this.#headers;
    const mask = this.#mask;
    const max = this.#maxRecords;
    let available = this.#available();
    // Right above 2^32 too: `&` takes a number modulo 2^32, and a ring is smaller than that.
    let offset = (this.#position & mask) >>> 0;
    let consumed = 0;
    let count = 0;
    let discarded = 0;
    while (available > 0 && count < max) {
      const header = headers[offset >>> 2] ?? BUSY;
      if ((header & BUSY) !== 0) break;
      const length = header & ~DISCARD;
      const step = (length + HEADER_SIZE + 7) & ~7;
      if ((header & DISCARD) === 0) {
        offsets[count] = offset + HEADER_SIZE;
        lengths[count] = length;
        count++;
      } else {
        discarded++;
      }
      offset = (offset + step) & mask;
      consumed += step;
      available -= step;
    }
    this.#position += consumed;
    this.#counters.discarded += discarded;
    // The headers were read without ordering, which is several times faster than an Atomics.load each. A full fence
    // between the last header and the first byte of data gives what acquire loads would: a store and a load with
    // sequential consistency are not reordered with anything before or behind them.
    Atomics.store(this.#fence, 0, 0);
    Atomics.load(this.#fence, 0);
    return count;
  }

  /**
   * Bytes between our position and the producer's. The lower halves do: they are never further apart than the ring is
   * large, which is below 2^32. The load is an acquire, so headers up to there are initialised.
   */
  #available(): number {
    return (Atomics.load(this.#producer, 0) - this.#position) >>> 0;
  }

  #commit(): void {
    if (this.#position === this.#committed) return;
    // All 64 bits at once, or the producer could see half of a step over 2^32 and take the ring for full.
    Atomics.store(this.#consumer, 0, BigInt(this.#position));
    this.#committed = this.#position;
  }
}
