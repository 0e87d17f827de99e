// SPDX-License-Identifier: Apache-2.0

import type { BatchCursor, BpfMap, LookupOptions, MapMemory, UpdateMode, UpdateOptions } from "../bpf-map.ts";
import type { MapSpec } from "../map-spec.ts";
import type { ReaderCounters, RecordBatch, RecordReader, RecordReaderOptions } from "../record-batch.ts";

/** What a recorded map tells its recorder, each before it happens. */
export interface RecordingSink {
  /** A batch will be handed out; `discarded` since the batch before. */
  batch(batch: RecordBatch, discarded: number): void;
  readerClosing(): void;
  mapClosing(map: RecordingMap): void;
}

/** Stands before a map of another engine, and shows its recorder what goes through it. */
export class RecordingMap implements BpfMap {
  /** The map that this one stands before. */
  readonly inner: BpfMap;
  readonly #sink: RecordingSink;
  #closed = false;

  constructor(inner: BpfMap, sink: RecordingSink) {
    this.inner = inner;
    this.#sink = sink;
  }

  get spec(): Readonly<MapSpec> {
    return this.inner.spec;
  }

  get rawValueSize(): number {
    return this.inner.rawValueSize;
  }

  records(options?: RecordReaderOptions): RecordReader {
    return new RecordingReader(this.inner.records(options), this.#sink);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#sink.mapClosing(this);
    } finally {
      this.inner.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  lookup(key: unknown, options?: LookupOptions): unknown {
    return this.inner.lookup(key, options);
  }

  update(key: unknown, value: unknown, how?: UpdateMode | UpdateOptions): void {
    // A map of maps holds maps of the engine below.
    this.inner.update(key, value instanceof RecordingMap ? value.inner : value, how);
  }

  lookupAndDelete(key: unknown): unknown {
    return this.inner.lookupAndDelete(key);
  }

  delete(key: unknown): boolean {
    return this.inner.delete(key);
  }

  keys(): IterableIterator<unknown> {
    return this.inner.keys();
  }

  entries(): IterableIterator<[unknown, unknown]> {
    return this.inner.entries();
  }

  entriesBatch(): IterableIterator<[unknown, unknown]> {
    return this.inner.entriesBatch();
  }

  lookupRaw(key: Uint8Array, value: Uint8Array, options?: LookupOptions): boolean {
    return this.inner.lookupRaw(key, value, options);
  }

  updateRaw(key: Uint8Array, value: Uint8Array, how?: UpdateMode | UpdateOptions): void {
    this.inner.updateRaw(key, value, how);
  }

  lookupAndDeleteRaw(key: Uint8Array, value: Uint8Array): boolean {
    return this.inner.lookupAndDeleteRaw(key, value);
  }

  deleteRaw(key: Uint8Array): boolean {
    return this.inner.deleteRaw(key);
  }

  nextKeyRaw(key: Uint8Array | undefined, next: Uint8Array): boolean {
    return this.inner.nextKeyRaw(key, next);
  }

  lookupBatchRaw(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array): number {
    return this.inner.lookupBatchRaw(cursor, keys, values);
  }

  lookupAndDeleteBatchRaw(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array): number {
    return this.inner.lookupAndDeleteBatchRaw(cursor, keys, values);
  }

  updateBatchRaw(keys: Uint8Array, values: Uint8Array, count: number, how?: UpdateMode | UpdateOptions): number {
    return this.inner.updateBatchRaw(keys, values, count, how);
  }

  deleteBatchRaw(keys: Uint8Array, count: number): number {
    return this.inner.deleteBatchRaw(keys, count);
  }

  push(value: unknown, options?: { readonly replace?: boolean }): void {
    this.inner.push(value, options);
  }

  pop(): unknown {
    return this.inner.pop();
  }

  peek(): unknown {
    return this.inner.peek();
  }

  has(value: unknown): boolean {
    return this.inner.has(value);
  }

  freeze(): void {
    this.inner.freeze();
  }

  memory(): MapMemory {
    return this.inner.memory();
  }
}

class RecordingReader implements RecordReader {
  readonly #inner: RecordReader;
  readonly #sink: RecordingSink;
  #discarded = 0;
  #closed = false;

  constructor(inner: RecordReader, sink: RecordingSink) {
    this.#inner = inner;
    this.#sink = sink;
  }

  get counters(): ReaderCounters {
    return this.#inner.counters;
  }

  poll(): RecordBatch | undefined {
    const batch = this.#inner.poll();
    if (batch !== undefined) this.#record(batch);
    return batch;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<RecordBatch> {
    for await (const batch of this.#inner) {
      this.#record(batch);
      yield batch;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#sink.readerClosing();
    } finally {
      this.#inner.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #record(batch: RecordBatch): void {
    const { discarded } = this.#inner.counters;
    this.#sink.batch(batch, discarded - this.#discarded);
    this.#discarded = discarded;
  }
}
