// SPDX-License-Identifier: Apache-2.0

import { ClosedError } from "@skep/ebpf";
import { type FileDescriptor, MappedMemory, openPerfEvent, PerfType, pageSize, pausePerfOutput } from "@skep/linux";
import {
  appendSample,
  type BatchFill,
  DATA_HEAD,
  PERF_COUNT_SW_BPF_OUTPUT,
  PERF_RECORD_LOST,
  PERF_RECORD_SAMPLE,
  PERF_SAMPLE_RAW,
  SAMPLE_HEADER_WORDS,
  type SampleSource,
} from "./perf-buffer.ts";

/**
 * One CPU's perf buffer that the kernel writes backwards, over the oldest records (4.7; kernel/events/ring_buffer.c).
 * Its head is where the newest record begins, and counts down from 2^64. It holds still only while it is paused.
 */
export class OverwritablePerfBuffer implements SampleSource {
  readonly event: FileDescriptor;
  readonly #resources: DisposableStack;
  readonly #head: Int32Array;
  readonly #words: Uint32Array;
  readonly #size: number;
  readonly #object: string;
  /** Lower half of the head at the last snapshot: what lies behind it was handed out. */
  #seen = 0;

  /** `size`: bytes of data, a power of two of pages. */
  constructor(cpu: number, size: number, object: string) {
    this.#object = `${object}, CPU ${cpu}`;
    using building = new DisposableStack();
    this.event = building.use(
      openPerfEvent({
        type: PerfType.SOFTWARE,
        config: PERF_COUNT_SW_BPF_OUTPUT,
        sampleType: PERF_SAMPLE_RAW,
        period: 1,
        wakeupEvents: 1,
        writeBackward: true,
        cpu,
        object: this.#object,
      }),
    );
    // Not writable: that is what tells the kernel to write over old records.
    const memory = building.use(new MappedMemory({ fd: this.event.number, length: pageSize() + size, object }));
    this.#head = new Int32Array(memory.buffer, DATA_HEAD, 1);
    this.#words = new Uint32Array(memory.buffer, pageSize(), size / 4);
    this.#size = size;
    this.#resources = building.move();
  }

  /** Copies the newest records that there is room for, and of those the oldest first. */
  readInto(fill: BatchFill): void {
    if (this.#resources.disposed) throw new ClosedError(this.#object);
    pausePerfOutput(this.event, true);
    try {
      this.#snapshot(fill);
    } finally {
      pausePerfOutput(this.event, false);
    }
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  #snapshot(fill: BatchFill): void {
    const words = this.#words;
    const mask = words.length - 1;
    const head = Atomics.load(this.#head, 0);
    // Both lower halves. A buffer that went around since holds only what fits into it.
    const fresh = Math.min((this.#seen - head) >>> 0, this.#size);
    this.#seen = head;
    const samples: number[] = [];
    let room = fill.words.length - fill.used;
    for (let passed = 0; passed < fresh; ) {
      const at = ((head + passed) >>> 2) & mask;
      const type = words[at] ?? 0;
      const size = (words[(at + 1) & mask] ?? 0) >>> 16;
      passed += size;
      // The oldest record has lost its end to the newest.
      if (size === 0 || passed > fresh) break;
      if (type === PERF_RECORD_SAMPLE) {
        room -= size >>> 2;
        if (room < 0 || samples.length === fill.maxRecords - fill.count) break;
        samples.push(at);
      } else if (type === PERF_RECORD_LOST) {
        // header, u64 id, u64 lost
        fill.lost += (words[(at + 4) & mask] ?? 0) + (words[(at + 5) & mask] ?? 0) * 0x1_0000_0000;
      }
    }
    for (const at of samples.reverse()) {
      appendSample(fill, words, (at + SAMPLE_HEADER_WORDS) & mask, mask, words[(at + 2) & mask] ?? 0);
    }
  }
}
