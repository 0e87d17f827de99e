// SPDX-License-Identifier: Apache-2.0

import { Readable } from "node:stream";
import { NotFoundError } from "@skep/ebpf";
import {
  type ColumnBatch,
  compilePredicate,
  encodeJsonRow,
  type LedgerSnapshot,
  type MemorySink,
  parseWhere,
  type RowHub,
  type RowPredicate,
  type RowSchema,
  type RowStore,
  RowsError,
} from "@skep/rows";
import type { Backend, HostInfo, LiveOptions, LiveRows, QueryOptions, StreamInfo, WorkloadInfo } from "@skep/web";
import type { WorkloadSet } from "@skep/workload";
import type { Registry } from "prom-client";
import { storedRows } from "./store-row-source.ts";

/** What a {@link HostBackend} shows. */
export interface HostBackendParts {
  readonly info: () => HostInfo;
  readonly store: RowStore;
  readonly memory: MemorySink;
  readonly hub: RowHub;
  readonly workloads: WorkloadSet;
  readonly metrics: Registry;
  readonly reload: () => Promise<void>;
}

/** What the page and the API see of a host. */
export class HostBackend implements Backend {
  readonly #parts: HostBackendParts;

  constructor(parts: HostBackendParts) {
    this.#parts = parts;
  }

  info(): HostInfo {
    return this.#parts.info();
  }

  streams(): readonly StreamInfo[] {
    return this.#parts.hub.streams();
  }

  workloads(): readonly WorkloadInfo[] {
    return this.#parts.workloads.status();
  }

  ledgers(): readonly LedgerSnapshot[] {
    return this.#parts.hub.ledgers();
  }

  async query(stream: string, options: QueryOptions): Promise<AsyncIterable<readonly string[]>> {
    const { store } = this.#parts;
    const stored = await store.schema(stream).catch((error: unknown) => {
      if (error instanceof RowsError && error.code === "ERR_NOT_FOUND") return undefined;
      throw error;
    });
    // A stream without a table yet: its first rows are on their way.
    const schema = stored ?? this.#schema(stream);
    if (options.where !== undefined) parseWhere(options.where, schema);
    return stored === undefined ? Readable.from([]) : storedRows(store, stream, options);
  }

  async live(stream: string, options: LiveOptions): Promise<AsyncIterable<LiveRows>> {
    const schema = this.#schema(stream);
    const wanted = options.where === undefined ? undefined : compilePredicate(parseWhere(options.where, schema));
    return this.#follow(stream, wanted, options);
  }

  async *#follow(stream: string, wanted: RowPredicate | undefined, options: LiveOptions): AsyncGenerator<LiveRows> {
    const { memory } = this.#parts;
    // Subscribed before the backlog is taken, in one go: no row is between the two, and none in both.
    using subscription = memory.subscribe({ stream, signal: options.signal });
    yield { lines: newest(memory.batches(stream), wanted, options.backlog), missed: 0 };
    let missed = 0;
    for await (const batch of subscription) {
      const lines = encode(batch, wanted);
      const since = subscription.missed - missed;
      missed = subscription.missed;
      if (lines.length > 0 || since > 0) yield { lines, missed: since };
    }
  }

  #schema(stream: string): RowSchema {
    const streams = this.streams();
    const found = streams.find(({ schema }) => schema.name === stream);
    if (found === undefined)
      throw new NotFoundError(
        "stream",
        stream,
        streams.map(({ schema }) => schema.name),
      );
    return found.schema;
  }

  async metrics(): Promise<string> {
    return await this.#parts.metrics.metrics();
  }

  async reload(): Promise<void> {
    await this.#parts.reload();
  }
}

function encode(batch: ColumnBatch, wanted: RowPredicate | undefined): string[] {
  const lines: string[] = [];
  for (let row = 0; row < batch.length; row++) {
    if (wanted === undefined || wanted(batch, row)) lines.push(encodeJsonRow(batch, row));
  }
  return lines;
}

/** The last `count` rows that are wanted, oldest first. */
function newest(batches: readonly ColumnBatch[], wanted: RowPredicate | undefined, count: number): string[] {
  const lines: string[] = [];
  for (const batch of [...batches].reverse()) {
    for (let row = batch.length - 1; row >= 0 && lines.length < count; row--) {
      if (wanted === undefined || wanted(batch, row)) lines.push(encodeJsonRow(batch, row));
    }
    if (lines.length >= count) break;
  }
  return lines.reverse();
}
