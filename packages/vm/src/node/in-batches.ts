// SPDX-License-Identifier: Apache-2.0

import { Readable } from "node:stream";

/**
 * Items of a source in batches of 1 to `most`: what is there at once comes together, and nothing that is there waits for what
 * is not. Ends when the signal aborts, also while the source is waited for. The source is told to end when the loop is left; it is
 * not waited for where it has not answered the last question, as it may never do.
 *
 * What the source throws comes after the items before it.
 */
export async function* inBatches<T>(
  source: AsyncIterable<T> | Iterable<T>,
  most: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<T[], void, undefined> {
  if (signal?.aborted) return;
  if (!(Symbol.asyncIterator in source)) {
    yield* inBatchesNow(source, most, signal);
    return;
  }
  const iterator = source[Symbol.asyncIterator]();
  using interruption = new Interruption(signal);
  let pending: Promise<IteratorResult<T>> | undefined;
  let batch: T[] = [];
  try {
    for (;;) {
      pending ??= iterator.next();
      const result = await interruption.before(pending, batch.length > 0);
      if (result === "aborted") return;
      if (result === "waiting") {
        const full = batch;
        batch = [];
        yield full;
        continue;
      }
      pending = undefined;
      if (result.done === true) break;
      if (batch.push(result.value) < most) continue;
      const full = batch;
      batch = [];
      yield full;
    }
  } catch (error) {
    pending = undefined;
    if (batch.length > 0) yield batch;
    throw error;
  } finally {
    const ended = Promise.resolve(iterator.return?.());
    if (pending === undefined) {
      await ended;
    } else {
      void Promise.allSettled([pending, ended]);
      // Its iterator ends only when there is something to read.
      if (source instanceof Readable) source.destroy();
    }
  }
  if (batch.length > 0) yield batch;
}

async function* inBatchesNow<T>(
  source: Iterable<T>,
  most: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<T[], void, undefined> {
  let batch: T[] = [];
  for (const item of source) {
    if (batch.push(item) < most) continue;
    yield batch;
    if (signal?.aborted) return;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** What ends the wait for an item: a signal, or that everything else had its turn. */
class Interruption implements Disposable {
  readonly #signal: AbortSignal | undefined;
  readonly #aborted = Promise.withResolvers<"aborted">();
  readonly #abort = (): void => this.#aborted.resolve("aborted");
  /** The turn that a batch may still grow in; one for the whole batch, since each costs more than an item. */
  #turn: Promise<"waiting"> | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  async before<R>(item: Promise<R>, begun: boolean): Promise<R | "aborted" | "waiting"> {
    if (!begun) {
      this.#turn = undefined;
      return this.#signal === undefined ? item : Promise.race([this.#aborted.promise, item]);
    }
    this.#turn ??= new Promise((resolve) => setImmediate(resolve, "waiting"));
    return Promise.race([this.#aborted.promise, item, this.#turn]);
  }

  [Symbol.dispose](): void {
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}
