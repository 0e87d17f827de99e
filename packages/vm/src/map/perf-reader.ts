// SPDX-License-Identifier: Apache-2.0

import {
  ClosedError,
  InvalidValueError,
  NotSupportedError,
  type ReaderCounters,
  type RecordBatch,
  RecordLease,
  type RecordReader,
  type RecordReaderOptions,
} from "@skep/ebpf";
import type { MapBlock } from "./map-block.ts";
import { MAP_HEADER_SIZE, MapWord } from "./map-header.ts";
import { iterateRecords, maxRecordsOf } from "./record-iteration.ts";
import { RecordRing } from "./record-ring.ts";
import { RecordSignal } from "./record-signal.ts";

const PAGE = 4096;
const defaultPages = 64;

/**
 * Reads a perf event array: a buffer for each worker, from the opening of the reader to its close. Records of one worker come
 * in order, those of different ones in any. A record's length is the kernel's: what the program wrote and up to 7 bytes of
 * padding. `bytes` of a batch is the memory itself.
 */
export class PerfReader implements RecordReader {
  readonly counters: ReaderCounters;
  readonly #counters = { read: 0, discarded: 0, lost: 0 };
  readonly #object: string;
  readonly #options: RecordReaderOptions;
  readonly #maxRecords: number;
  readonly #rings: readonly RecordRing[];
  readonly #headers: readonly Int32Array[];
  readonly #lease: RecordLease;
  readonly #signal: RecordSignal;
  readonly #block: MapBlock;
  readonly #allocation: number;
  #first = 0;
  #closed = false;

  constructor(block: MapBlock, options: RecordReaderOptions) {
    this.counters = this.#counters;
    this.#object = `reader of ${block.object}`;
    this.#options = options;
    this.#maxRecords = maxRecordsOf(options, this.#object);
    if (options.overwritable === true) throw new NotSupportedError("an overwritable perf buffer");
    const size = perCpuBytesOf(options, this.#object);
    const wakeUpAfter = wakeUpAfterOf(options, size, this.#object);
    const { memory, cpus } = block.space;
    // Programs would go on writing into its buffers when its thread has ended.
    if (!memory.whole) throw new NotSupportedError(`the ${this.#object} in a thread that joined its engine`);
    const count = Math.min(cpus, block.spec.maxEntries);
    const each = MAP_HEADER_SIZE + 2 * size;
    this.#block = block;
    this.#allocation = memory.allocate(each * count, 64);
    const rings: RecordRing[] = [];
    const headers: Int32Array[] = [];
    for (let cpu = 0; cpu < count; cpu++) {
      const address = this.#allocation + cpu * each;
      const data = address + MAP_HEADER_SIZE;
      const words = new Int32Array(memory.wasm.buffer, memory.index(address), MAP_HEADER_SIZE / 4);
      words[MapWord.ELEMENTS] = data;
      words[MapWord.MASK] = size - 1;
      words[MapWord.HEAD] = wakeUpAfter.count;
      words[MapWord.HASHES] = wakeUpAfter.bytes ? 1 : 0;
      headers.push(words);
      rings.push(new RecordRing(memory, address, data, size, data - this.#allocation));
    }
    this.#rings = rings;
    this.#headers = headers;
    this.#lease = new RecordLease(memory.slice(this.#allocation, each * count), this.#maxRecords);
    this.#signal = new RecordSignal(block);
    block.hold();
    for (let cpu = 0; cpu < count; cpu++) this.#setEntry(cpu, this.#allocation + cpu * each);
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** What lies unread. A batch may hold no record and only report losses. */
  poll(): RecordBatch | undefined {
    if (this.#closed) throw new ClosedError(this.#object);
    const lease = this.#lease;
    const rings = this.#rings;
    lease.count = 0;
    lease.lost = 0;
    // Each time another worker comes first, so that a busy one cannot shut the others out.
    for (let i = 0; i < rings.length; i++) {
      const cpu = (this.#first + i) % rings.length;
      const ring = rings[cpu] as RecordRing;
      ring.commit();
      lease.count = ring.scan(lease, lease.count, this.#maxRecords);
      lease.lost += Atomics.exchange(this.#headers[cpu] as Int32Array, MapWord.USED, 0);
    }
    this.#first = (this.#first + 1) % rings.length;
    this.#counters.read += lease.count;
    this.#counters.lost += lease.lost;
    return lease.count > 0 || lease.lost > 0 ? lease : undefined;
  }

  /** Ends when the reader is closed or the signal aborts. Throws ClosedError when it is closed already. */
  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    if (this.#closed) throw new ClosedError(this.#object);
    return iterateRecords(this, this.#signal, this.#options.signal);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (let cpu = 0; cpu < this.#rings.length; cpu++) this.#setEntry(cpu, 0);
    this.#lease.end();
    this.#signal.end();
    this.#block.giveReader();
    this.#block.space.memory.free(this.#allocation);
    this.#block.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #setEntry(cpu: number, address: number): void {
    const { memory } = this.#block.space;
    const { elements, layout } = this.#block;
    Atomics.store(new Int32Array(memory.wasm.buffer, memory.index(elements + cpu * layout.stride), 1), 0, address);
  }
}

function perCpuBytesOf(options: RecordReaderOptions, object: string): number {
  const size = options.perCpuBytes ?? defaultPages * PAGE;
  const pages = size / PAGE;
  if (Number.isInteger(pages) && pages >= 1 && Number.isInteger(Math.log2(pages))) return size;
  throw new InvalidValueError(`${object}: perCpuBytes is ${size}, a power of two times ${PAGE} is wanted`);
}

function wakeUpAfterOf(
  { wakeUpAfter }: RecordReaderOptions,
  size: number,
  object: string,
): { count: number; bytes: boolean } {
  if (wakeUpAfter === undefined) return { count: 1, bytes: false };
  const bytes = "bytes" in wakeUpAfter;
  const count = bytes ? wakeUpAfter.bytes : wakeUpAfter.records;
  const most = bytes ? size - 1 : 0xffff_ffff;
  if (Number.isInteger(count) && count >= 1 && count <= most) return { count, bytes };
  const what = bytes ? "bytes" : "records";
  throw new InvalidValueError(`${object}: wakeUpAfter is ${count} ${what}, a whole number from 1 to ${most} is wanted`);
}
