// SPDX-License-Identifier: Apache-2.0

import type { ColumnBatch } from "../column-batch.ts";

/** Options of a subscription to live batches. */
export interface SubscriptionOptions {
  /** Only this stream; all when not given. */
  readonly stream?: string;
  /** Rows that may wait for a slow reader; a batch that would exceed it is missed. 65,536 when not given. */
  readonly backlog?: number;
  /** Ends the subscription. */
  readonly signal?: AbortSignal;
}

/** Live batches for one reader. A reader that is too slow misses some, and is told how many rows. */
export class BatchSubscription implements AsyncIterable<ColumnBatch>, Disposable {
  readonly #stream: string | undefined;
  readonly #backlog: number;
  readonly #onClose: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #waiting: ColumnBatch[] = [];
  #rows = 0;
  #missed = 0;
  #isOpen = true;
  #wake: () => void = () => undefined;
  readonly #abort = () => this.close();

  /** @param onClose - called once, when it ends */
  constructor(options: SubscriptionOptions, onClose: () => void) {
    this.#stream = options.stream;
    this.#backlog = options.backlog ?? 65_536;
    this.#onClose = onClose;
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#abort);
    if (this.#signal?.aborted) this.close();
  }

  /** Rows that did not fit into the backlog so far. */
  get missed(): number {
    return this.#missed;
  }

  /** Offers a batch; called by the sink. */
  push(batch: ColumnBatch): void {
    if (!this.#isOpen || (this.#stream !== undefined && batch.schema.name !== this.#stream)) return;
    if (this.#rows > 0 && this.#rows + batch.length > this.#backlog) {
      this.#missed += batch.length;
      return;
    }
    this.#rows += batch.length;
    this.#waiting.push(batch);
    this.#wake();
  }

  /** Ends the iteration after the batches that wait. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#wake();
    this.#onClose();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Each batch goes to one iteration; leaving a `for await` closes the subscription. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ColumnBatch, void, undefined> {
    try {
      for (;;) {
        const batch = this.#waiting.shift();
        if (batch !== undefined) {
          this.#rows -= batch.length;
          yield batch;
        } else if (this.#isOpen) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        } else {
          return;
        }
      }
    } finally {
      this.close();
    }
  }
}
