// SPDX-License-Identifier: Apache-2.0

import { Backoff } from "./backoff.ts";
import { batchBytes } from "./batch-bytes.ts";
import type { ColumnBatch } from "./column-batch.ts";
import type { SinkCounts } from "./ledger.ts";
import type { RowSchema } from "./row-schema.ts";
import type { Sink } from "./sink.ts";

/** Rows that go to a sink in one call, unless a single batch has more. */
const ROWS_PER_WRITE = 65_536;

/** How long a batch waits for others to go with, in milliseconds. */
const GATHER_TIME = 25;

/** Waits between attempts, in milliseconds. */
const FIRST_RETRY = 50;
const LAST_RETRY = 5_000;

/** What a {@link SinkQueue} is made of. */
export interface SinkQueueOptions {
  readonly sink: Sink;
  readonly schema: RowSchema;
  /** Memory of batches under way, in bytes; a batch that would exceed it is dropped. */
  readonly maxBytes: number;
  /** Gives each call its number; shared by the queues that follow each other for one stream and sink. */
  readonly nextSequence: () => number;
  /** Nothing is asked of the sink before this: the end of the queue that came before for this stream and sink. */
  readonly after?: Promise<void> | undefined;
  /** Told of every failed attempt. */
  readonly onError: (error: unknown, sink: Sink, schema: RowSchema) => void;
}

/**
 * The way from one stream to one sink: a bounded queue and the loop that empties it. A sink that fails is asked
 * again, with the same batches and sequence, until it succeeds or the queue is closed; meanwhile the queue fills,
 * and what no longer fits is dropped and counted.
 */
export class SinkQueue {
  readonly #options: SinkQueueOptions;
  readonly #waiting: ColumnBatch[] = [];
  #waitingRows = 0;
  /** When the first of the waiting batches came, in milliseconds of `performance.now()`. */
  #waitingSince = 0;
  #underWay: readonly ColumnBatch[] = [];
  #bytes = 0;
  #offered = 0;
  #written = 0;
  #dropped = 0;
  #retries = 0;
  #error: string | undefined;
  #isOpen = true;
  /** Counts flushes asked for; while above zero nothing waits to be gathered. */
  #flushing = 0;
  /** Ends the loop's present wait. */
  #wake: () => void = () => undefined;
  /** Batches taken, and those of them that left again, since the queue was made. */
  #taken = 0;
  #left = 0;
  /** Flushes, told when as many batches have left as were taken before. */
  #flushes: { readonly target: number; readonly resolve: () => void }[] = [];
  readonly #abandoned = new AbortController();
  readonly #end = Promise.withResolvers<void>();

  constructor(options: SinkQueueOptions) {
    this.#options = options;
    // Ends at close(). It cannot reject: failures of the sink are caught where they are repeated.
    void this.#run();
  }

  /** Resolves when the queue is closed and asks nothing of the sink any more. */
  get ended(): Promise<void> {
    return this.#end.promise;
  }

  /** Takes a batch, or drops it when there is no room. Never waits. */
  offer(batch: ColumnBatch): void {
    this.#offered += batch.length;
    const bytes = batchBytes(batch);
    if (!this.#isOpen || this.#bytes + bytes > this.#options.maxBytes) {
      this.#dropped += batch.length;
      return;
    }
    if (batch.length === 0) return;
    this.#bytes += bytes;
    this.#taken++;
    if (this.#waiting.length === 0) this.#waitingSince = performance.now();
    this.#waiting.push(batch);
    this.#waitingRows += batch.length;
    if (this.#waiting.length === 1 || this.#waitingRows >= ROWS_PER_WRITE) this.#wake();
  }

  /** Resolves when all that was taken before is written or dropped. */
  async flush(): Promise<void> {
    const target = this.#taken;
    if (this.#left >= target) return;
    this.#flushing++;
    this.#wake();
    await new Promise<void>((resolve) => this.#flushes.push({ target, resolve }));
    this.#flushing--;
  }

  /**
   * Flushes for at most `timeout` milliseconds, then drops what is left. A call that the sink has not answered by
   * then counts as dropped, whatever becomes of it.
   */
  async close(timeout: number): Promise<void> {
    this.#isOpen = false;
    const timer = setTimeout(() => this.#giveUp(), timeout);
    await this.flush();
    clearTimeout(timer);
    this.#abandoned.abort();
    this.#wake();
    this.#end.resolve();
    // A loop that is inside a call to a sink that hangs never ends; it holds nothing but that call.
  }

  /** Counts at this moment; `pending` is what the queue holds, added up. */
  counts(): SinkCounts {
    let pending = 0;
    for (const batch of this.#waiting) pending += batch.length;
    for (const batch of this.#underWay) pending += batch.length;
    return {
      sink: this.#options.sink.name,
      offered: this.#offered,
      written: this.#written,
      dropped: this.#dropped,
      pending,
      retries: this.#retries,
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }

  async #run(): Promise<void> {
    const { sink, schema, nextSequence, after } = this.#options;
    await after;
    await this.#repeat(() => sink.open(schema));
    while (!this.#abandoned.signal.aborted) {
      if (this.#waiting.length === 0) {
        await this.#sleep();
        continue;
      }
      const left = this.#waitingSince + GATHER_TIME - performance.now();
      if (left > 0 && this.#waitingRows < ROWS_PER_WRITE && this.#flushing === 0) await this.#sleep(left);
      const batches = this.#take();
      if (batches.length === 0) continue;
      const sequence = nextSequence();
      await this.#repeat(() => sink.write(batches, sequence));
      this.#finish(batches);
    }
  }

  /** Repeats an action of the sink until it succeeds or the queue is given up. */
  async #repeat(action: () => Promise<void>): Promise<void> {
    const { sink, schema, onError } = this.#options;
    const backoff = new Backoff(FIRST_RETRY, LAST_RETRY);
    while (!this.#abandoned.signal.aborted) {
      try {
        await action();
        this.#error = undefined;
        return;
      } catch (error) {
        if (this.#abandoned.signal.aborted) return;
        this.#retries++;
        this.#error = error instanceof Error ? error.message : String(error);
        onError(error, sink, schema);
        // What is offered meanwhile does not shorten the wait.
        await this.#pause(backoff.next());
      }
    }
  }

  #take(): readonly ColumnBatch[] {
    let count = 0;
    let rows = 0;
    for (const batch of this.#waiting) {
      if (count > 0 && rows + batch.length > ROWS_PER_WRITE) break;
      rows += batch.length;
      count++;
    }
    this.#underWay = this.#waiting.splice(0, count);
    this.#waitingRows -= rows;
    this.#waitingSince = performance.now();
    return this.#underWay;
  }

  #finish(batches: readonly ColumnBatch[]): void {
    // Given up while the call was under way: its rows are counted already.
    if (this.#abandoned.signal.aborted) return;
    for (const batch of batches) {
      this.#written += batch.length;
      this.#bytes -= batchBytes(batch);
    }
    this.#underWay = [];
    this.#leave(batches.length);
  }

  #giveUp(): void {
    this.#abandoned.abort();
    const rest = [...this.#underWay, ...this.#waiting.splice(0)];
    for (const batch of rest) this.#dropped += batch.length;
    this.#underWay = [];
    this.#waitingRows = 0;
    this.#bytes = 0;
    this.#leave(rest.length);
  }

  #leave(batches: number): void {
    this.#left += batches;
    const done = this.#flushes.filter(({ target }) => target <= this.#left);
    this.#flushes = this.#flushes.filter(({ target }) => target > this.#left);
    for (const { resolve } of done) resolve();
  }

  /** Sleeps until {@link #wake}, or for some milliseconds. */
  #sleep(milliseconds?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Sleeps for some milliseconds, or until the queue is given up. */
  #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#abandoned;
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      signal.addEventListener("abort", end);
    });
  }
}
