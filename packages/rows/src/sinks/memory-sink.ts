// SPDX-License-Identifier: Apache-2.0

import type { ColumnBatch } from "../column-batch.ts";
import type { RowSchema } from "../row-schema.ts";
import type { Sink } from "../sink.ts";
import { BatchSubscription, type SubscriptionOptions } from "./batch-subscription.ts";

/** What is kept in memory, and under which name it is counted. */
export interface MemorySinkOptions {
  /** Names it in the ledger; `memory` when not given. */
  readonly name?: string;
  /** Rows kept of each stream: the last ones, at most one batch more than this; 10,000 when not given. */
  readonly rows?: number;
}

/** Keeps the last rows of each stream in memory and hands new ones to subscribers: what the live page reads. */
export class MemorySink implements Sink {
  readonly name: string;
  readonly #limit: number;
  readonly #streams = new Map<string, { batches: ColumnBatch[]; rows: number }>();
  readonly #subscriptions = new Set<BatchSubscription>();

  constructor(options: MemorySinkOptions = {}) {
    this.name = options.name ?? "memory";
    this.#limit = options.rows ?? 10_000;
  }

  open(schema: RowSchema): Promise<void> {
    if (!this.#streams.has(schema.name)) this.#streams.set(schema.name, { batches: [], rows: 0 });
    return Promise.resolve();
  }

  write(batches: readonly ColumnBatch[]): Promise<void> {
    for (const batch of batches) {
      this.#keep(batch);
      for (const subscription of this.#subscriptions) subscription.push(batch);
    }
    return Promise.resolve();
  }

  /** The last batches of a stream, oldest first; none for a stream that was never opened. */
  batches(stream: string): readonly ColumnBatch[] {
    return [...(this.#streams.get(stream)?.batches ?? [])];
  }

  /** Names of the streams that were opened. */
  streams(): string[] {
    return [...this.#streams.keys()];
  }

  /** Batches from now on. The subscription ends when it is closed, its signal aborts, or the sink closes. */
  subscribe(options: SubscriptionOptions = {}): BatchSubscription {
    const subscription = new BatchSubscription(options, () => this.#subscriptions.delete(subscription));
    this.#subscriptions.add(subscription);
    return subscription;
  }

  close(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #keep(batch: ColumnBatch): void {
    const { name } = batch.schema;
    const kept = this.#streams.get(name) ?? { batches: [], rows: 0 };
    this.#streams.set(name, kept);
    kept.batches.push(batch);
    kept.rows += batch.length;
    let oldest = kept.batches[0];
    while (oldest !== undefined && oldest !== batch && kept.rows - oldest.length >= this.#limit) {
      kept.batches.shift();
      kept.rows -= oldest.length;
      oldest = kept.batches[0];
    }
  }
}
