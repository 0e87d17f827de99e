// SPDX-License-Identifier: Apache-2.0

import type { MapSpec } from "./map-spec.ts";
import type { RecordReader, RecordReaderOptions } from "./record-batch.ts";

/** Which entries an update may touch: BPF_ANY, BPF_NOEXIST, BPF_EXIST. */
export type UpdateMode = "any" | "create" | "replace";

/** Position of a batch operation; start with `new BatchCursor()` and hand in the same one again. */
export class BatchCursor {
  /** Opaque to callers: where the engine goes on. */
  position: Uint8Array | undefined;
  /** Set once the last entry has been delivered. */
  done = false;
}

/**
 * A map in an engine. `K` and `V` are what the codecs from the map's BTF make of its bytes (raw bytes when it
 * has no BTF); for per-CPU maps `V` is an array with one value a possible CPU.
 *
 * Typed operations copy. The `raw` ones work on the caller's bytes without an allocation.
 */
export interface BpfMap<K = unknown, V = unknown> extends Disposable {
  readonly spec: Readonly<MapSpec>;
  /** Bytes that a raw lookup writes: the value's size, or for per-CPU maps its size rounded up to 8 times the number of possible CPUs. */
  readonly rawValueSize: number;

  /** The value, or undefined when the key is absent. */
  lookup(key: K): V | undefined;
  /** Throws when `create` finds the key present, or `replace` finds it absent. */
  update(key: K, value: V, mode?: UpdateMode): void;
  /** Returns whether the key was there. */
  delete(key: K): boolean;
  /** Iterates by BPF_MAP_GET_NEXT_KEY; entries that change meanwhile may be missed or repeated. */
  keys(): IterableIterator<K>;
  entries(): IterableIterator<[K, V]>;

  /** Raw lookup into `value`; false when the key is absent. */
  lookupRaw(key: Uint8Array, value: Uint8Array): boolean;
  updateRaw(key: Uint8Array, value: Uint8Array, mode?: UpdateMode): void;
  deleteRaw(key: Uint8Array): boolean;

  /**
   * Reads up to as many entries as fit into `keys` and `values` (BPF_MAP_LOOKUP_BATCH, 5.6) and returns how
   * many; `cursor.done` tells the end.
   */
  lookupBatchRaw(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array): number;
  /** Writes `count` entries (BPF_MAP_UPDATE_BATCH, 5.6) and returns how many were written before an error. */
  updateBatchRaw(keys: Uint8Array, values: Uint8Array, count: number, mode?: UpdateMode): number;
  /** Deletes `count` keys (BPF_MAP_DELETE_BATCH, 5.6). */
  deleteBatchRaw(keys: Uint8Array, count: number): number;
  /** Every entry by batches, decoded. */
  entriesBatch(): IterableIterator<[K, V]>;

  /** Opens a reader: ring buffers and perf event arrays only. */
  records(options?: RecordReaderOptions): RecordReader;

  close(): void;
}
