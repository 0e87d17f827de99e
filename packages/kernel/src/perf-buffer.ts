// SPDX-License-Identifier: Apache-2.0

import { ClosedError, type RecordLease, type RecordReaderOptions } from "@skep/ebpf";
import { type FileDescriptor, MappedMemory, openPerfEvent, PerfType, pageSize } from "@skep/linux";

/** The software event that `bpf_perf_event_output` writes to (4.4). */
export const PERF_COUNT_SW_BPF_OUTPUT: number = 10;
/** A sample holds the program's bytes. */
export const PERF_SAMPLE_RAW: number = 1 << 10;
/** A record that counts lost ones. */
export const PERF_RECORD_LOST: number = 2;
/** A record that a program wrote. */
export const PERF_RECORD_SAMPLE: number = 9;
/** `data_head` and `data_tail` of `struct perf_event_mmap_page`. */
export const DATA_HEAD: number = 1024;
const DATA_TAIL = 1032;
/** Words in front of a sample's bytes: `struct perf_event_header` and the u32 length. */
export const SAMPLE_HEADER_WORDS: number = 3;

/** How far the filling of a batch has come; buffers of several CPUs fill one after the other. */
export interface BatchFill {
  readonly lease: RecordLease;
  /** Where the next record's words go, over the memory that `lease.bytes` shows. */
  readonly words: Uint32Array;
  readonly maxRecords: number;
  count: number;
  lost: number;
  /** Words used so far; even, so that each record begins at a multiple of 8 bytes. */
  used: number;
}

/** When the kernel wakes the reader. */
export type WakeUpAfter = NonNullable<RecordReaderOptions["wakeUpAfter"]>;

/**
 * One CPU's perf buffer (Linux 4.4; perf_event_open(2)). Samples begin at 4 bytes past a multiple of 8 and may wrap at
 * the end, so they are copied out and their room is given back at once.
 */
export class PerfBuffer implements SampleSource {
  /** The perf event, to be put into the map under its CPU. */
  readonly event: FileDescriptor;
  readonly #resources: DisposableStack;
  readonly #head: Int32Array;
  readonly #tail: BigInt64Array;
  readonly #words: Uint32Array;
  readonly #mask: number;
  readonly #object: string;
  #position: number;

  /** `size`: bytes of data, a power of two of pages. */
  constructor(cpu: number, size: number, object: string, wakeUpAfter: WakeUpAfter) {
    this.#object = `${object}, CPU ${cpu}`;
    using building = new DisposableStack();
    this.event = building.use(
      openPerfEvent({
        type: PerfType.SOFTWARE,
        config: PERF_COUNT_SW_BPF_OUTPUT,
        sampleType: PERF_SAMPLE_RAW,
        period: 1,
        ...("bytes" in wakeUpAfter ? { wakeupBytes: wakeUpAfter.bytes } : { wakeupEvents: wakeUpAfter.records }),
        cpu,
        object: this.#object,
      }),
    );
    // Writable, or the kernel overwrites what has not been read.
    const memory = building.use(
      new MappedMemory({ fd: this.event.number, length: pageSize() + size, writable: true, object }),
    );
    this.#head = new Int32Array(memory.buffer, DATA_HEAD, 1);
    this.#tail = new BigInt64Array(memory.buffer, DATA_TAIL, 1);
    this.#words = new Uint32Array(memory.buffer, pageSize(), size / 4);
    this.#mask = size / 4 - 1;
    this.#position = Number(Atomics.load(this.#tail, 0));
    this.#resources = building.move();
  }

  /** Copies records until there are none, or the batch is full. */
  readInto(fill: BatchFill): void {
    if (this.#resources.disposed) throw new ClosedError(this.#object);
    const words = this.#words;
    const mask = this.#mask;
    // As in a ring buffer the lower halves tell the distance. An acquire load: what it covers has been written.
    let available = (Atomics.load(this.#head, 0) - this.#position) >>> 0;
    let position = this.#position;
    while (available > 0) {
      const at = (position >>> 2) & mask;
      const type = words[at] ?? 0;
      const size = (words[(at + 1) & mask] ?? 0) >>> 16;
      if (type === PERF_RECORD_SAMPLE) {
        const length = words[(at + 2) & mask] ?? 0;
        if (!appendSample(fill, words, (at + SAMPLE_HEADER_WORDS) & mask, mask, length)) break;
      } else if (type === PERF_RECORD_LOST) {
        // header, u64 id, u64 lost
        fill.lost += (words[(at + 4) & mask] ?? 0) + (words[(at + 5) & mask] ?? 0) * 0x1_0000_0000;
      }
      position += size;
      available -= size;
    }
    if (position === this.#position) return;
    this.#position = position;
    // A release store: the kernel may write over what we copied from now on.
    Atomics.store(this.#tail, 0, BigInt(position));
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }
}

/** One CPU's buffer, as {@link PerfReader} needs it. */
export interface SampleSource extends Disposable {
  readonly event: FileDescriptor;
  readInto(fill: BatchFill): void;
}

/** Copies one sample, word by word so that it may wrap; false when the batch has no room for it. */
export function appendSample(
  fill: BatchFill,
  source: Uint32Array,
  from: number,
  mask: number,
  length: number,
): boolean {
  const wordCount = (length + 3) >>> 2;
  if (fill.count === fill.maxRecords || fill.used + wordCount > fill.words.length) return false;
  const { words, lease } = fill;
  for (let i = 0; i < wordCount; i++) words[fill.used + i] = source[(from + i) & mask] ?? 0;
  lease.offsets[fill.count] = fill.used * 4;
  lease.lengths[fill.count] = length;
  fill.count++;
  fill.used += (wordCount + 1) & ~1;
  return true;
}
