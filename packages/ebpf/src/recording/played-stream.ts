// SPDX-License-Identifier: Apache-2.0

import { ClosedError, InvalidValueError } from "../errors.ts";
import type { MapSpec } from "../map-spec.ts";
import type { ReaderCounters, RecordBatch, RecordReader, RecordReaderOptions } from "../record-batch.ts";
import { MemoryMap } from "./memory-map.ts";
import type { RecordedBatch } from "./read-recording.ts";
import type { Timeline, TimelineReader } from "./timeline.ts";

/** A batch with the recorded milliseconds from the recording's start to its delivery. */
export interface TimedBatch extends RecordedBatch {
  readonly at: number;
}

/** A ring buffer or perf event array whose records come from a recording. */
export class PlayedStream extends MemoryMap {
  readonly #bytes: Uint8Array;
  readonly #batches: readonly TimedBatch[];
  readonly #timeline: Timeline;
  #reader: PlayedReader | undefined;
  #closed = false;

  constructor(spec: MapSpec, bytes: Uint8Array, batches: readonly TimedBatch[], timeline: Timeline) {
    super(spec, undefined, 1);
    this.#bytes = bytes;
    this.#batches = batches;
    this.#timeline = timeline;
  }

  /** Plays from the beginning of the loop: what was due already comes at once. */
  override records(options: RecordReaderOptions = {}): RecordReader {
    if (this.#closed) throw new ClosedError(`map "${this.spec.name}"`);
    if (this.#reader?.closed === false) {
      throw new InvalidValueError(`map "${this.spec.name}": its records are read already`);
    }
    this.#reader = new PlayedReader(this.#bytes, this.#batches, this.#timeline, options);
    return this.#reader;
  }

  override close(): void {
    this.#closed = true;
    this.#reader?.close();
    super.close();
  }
}

class PlayedReader implements RecordReader, TimelineReader {
  closed = false;
  finished = false;
  readonly #bytes: Uint8Array;
  readonly #batches: readonly TimedBatch[];
  readonly #timeline: Timeline;
  readonly #maxRecords: number;
  readonly #signal: AbortSignal | undefined;
  readonly #counters = { read: 0, discarded: 0, lost: 0 };
  /** The batch to hand out next, and how many of its records were handed out before. */
  #next = 0;
  #taken = 0;
  #wake: (() => void) | undefined;

  constructor(bytes: Uint8Array, batches: readonly TimedBatch[], timeline: Timeline, options: RecordReaderOptions) {
    this.#bytes = bytes;
    this.#batches = batches;
    this.#timeline = timeline;
    this.#maxRecords = options.maxRecords ?? 4096;
    this.#signal = options.signal;
    timeline.open(this);
  }

  get counters(): ReaderCounters {
    return { ...this.#counters };
  }

  poll(): RecordBatch | undefined {
    this.#checkOpen();
    const batch = this.#batches[this.#next];
    if (batch === undefined) {
      if (!this.finished) {
        this.finished = true;
        this.#timeline.readerFinished();
      }
      return undefined;
    }
    return batch.at <= this.#timeline.position ? this.#take(batch) : undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<RecordBatch> {
    this.#checkOpen();
    return this.#iterate();
  }

  async *#iterate(): AsyncGenerator<RecordBatch, void, undefined> {
    while (!this.closed && this.#signal?.aborted !== true) {
      const batch = this.poll();
      if (batch === undefined) await this.#wait();
      else yield batch;
    }
  }

  rewind(): void {
    this.finished = false;
    this.#next = 0;
    this.#taken = 0;
    this.#wake?.();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#timeline.close(this);
    this.#wake?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.closed) throw new ClosedError("reader of a recorded stream");
  }

  #take(batch: TimedBatch): RecordBatch {
    const start = this.#taken;
    const end = Math.min(start + this.#maxRecords, batch.count);
    const first = start === 0;
    if (end === batch.count) {
      this.#next++;
      this.#taken = 0;
    } else {
      this.#taken = end;
    }
    this.#counters.read += end - start;
    if (first) {
      this.#counters.discarded += batch.discarded;
      this.#counters.lost += batch.lost;
    }
    return {
      count: end - start,
      bytes: this.#bytes,
      offsets: batch.offsets.subarray(start, end),
      lengths: batch.lengths.subarray(start, end),
      lost: first ? batch.lost : 0,
    };
  }

  /** Until the next batch is due, the next loop begins, or the reading ends; at the end of a recording, for long. */
  async #wait(): Promise<void> {
    const batch = this.#batches[this.#next];
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    this.#wake = wake;
    this.#signal?.addEventListener("abort", wake);
    const timer = batch === undefined ? undefined : setTimeout(wake, this.#timeline.delayUntil(batch.at));
    await promise;
    clearTimeout(timer);
    this.#signal?.removeEventListener("abort", wake);
    this.#wake = undefined;
  }
}
