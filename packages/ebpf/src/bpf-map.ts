// SPDX-License-Identifier: Apache-2.0

import type { MapSpec } from "./map-spec.ts";
import type { RecordReader, RecordReaderOptions } from "./record-batch.ts";

/** Which entries an update may touch: BPF_ANY, BPF_NOEXIST, BPF_EXIST. */
export type UpdateMode = "any" | "create" | "replace";

/** How a value is read. */
export interface LookupOptions {
  /** Holds the value's `struct bpf_spin_lock` meanwhile (BPF_F_LOCK, 5.1), so that it is of one piece. */
  readonly lock?: boolean;
}

/** How a value is written. */
export interface UpdateOptions extends LookupOptions {
  /** `any` unless given. */
  readonly mode?: UpdateMode;
}

/**
 * The values of an array in memory that programs and user space share, without a copy or a system call. Element `i`
 * of the array begins at `i` times the value's size rounded up to 8.
 */
export interface MapMemory<V = unknown> extends Disposable {
  /** The memory. Its length is 0, and that of every view over its buffer, once the mapping is closed. */
  readonly bytes: Uint8Array;
  /** Bytes from one element to the next. */
  readonly stride: number;
  /** Whether it may be written. A write to memory mapped for reading alone ends the process (SIGSEGV). */
  readonly writable: boolean;
  /** Decodes an element. A program that writes it meanwhile may show half a change. Throws ClosedError. */
  get(index: number): V;
  /** Writes an element, or throws and leaves it as it was: ClosedError, InvalidValueError. */
  set(index: number, value: V): void;
  close(): void;
}

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
  /** Whether it was made and filled elsewhere, so that `load` puts nothing into it. Absent: no. */
  readonly joined?: boolean;
  /** Bytes that a raw lookup writes: the value's size, or for per-CPU maps its size rounded up to 8 times the number of possible CPUs. */
  readonly rawValueSize: number;

  /** The value, or undefined when the key is absent. */
  lookup(key: K, options?: LookupOptions): V | undefined;
  /** Throws when `create` finds the key present, or `replace` finds it absent. */
  update(key: K, value: V, how?: UpdateMode | UpdateOptions): void;
  /** Takes the value out, in one step that no program can come between (hash maps, 5.14); undefined when absent. */
  lookupAndDelete(key: K): V | undefined;
  /** Returns whether the key was there. */
  delete(key: K): boolean;
  /** Iterates by BPF_MAP_GET_NEXT_KEY; entries that change meanwhile may be missed or repeated. */
  keys(): IterableIterator<K>;
  entries(): IterableIterator<[K, V]>;

  /** Raw lookup into `value`; false when the key is absent. */
  lookupRaw(key: Uint8Array, value: Uint8Array, options?: LookupOptions): boolean;
  updateRaw(key: Uint8Array, value: Uint8Array, how?: UpdateMode | UpdateOptions): void;
  deleteRaw(key: Uint8Array): boolean;
  /** As {@link BpfMap.lookupAndDelete}, into `value`; false when the key is absent. */
  lookupAndDeleteRaw(key: Uint8Array, value: Uint8Array): boolean;
  /**
   * Writes the key after `key` into `next`, which may be the same array: the first one for `undefined` and for a key that
   * is not there. False at the end.
   */
  nextKeyRaw(key: Uint8Array | undefined, next: Uint8Array): boolean;

  /**
   * Reads up to as many entries as fit into `keys` and `values` (BPF_MAP_LOOKUP_BATCH, 5.6) and returns how
   * many; `cursor.done` tells the end.
   */
  lookupBatchRaw(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array): number;
  /**
   * The same, and deletes what it reads (BPF_MAP_LOOKUP_AND_DELETE_BATCH, 5.6, hash maps): every update is either
   * in a batch or still in the map.
   */
  lookupAndDeleteBatchRaw(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array): number;
  /** Writes `count` entries (BPF_MAP_UPDATE_BATCH, 5.6) and returns how many were written before an error. */
  updateBatchRaw(keys: Uint8Array, values: Uint8Array, count: number, how?: UpdateMode | UpdateOptions): number;
  /** Deletes `count` keys (BPF_MAP_DELETE_BATCH, 5.6). */
  deleteBatchRaw(keys: Uint8Array, count: number): number;
  /** Every entry by batches, decoded. */
  entriesBatch(): IterableIterator<[K, V]>;

  /**
   * Adds a value to a queue or a stack (4.20) or a bloom filter (5.16). `replace` drops the oldest value of a full
   * queue or the top of a full stack instead of throwing E2BIG.
   */
  push(value: V, options?: { readonly replace?: boolean }): void;
  /** Takes the next value out of a queue or a stack; undefined when it is empty. */
  pop(): V | undefined;
  /** The value that `pop` would take; undefined when there is none. */
  peek(): V | undefined;
  /** Whether a bloom filter may hold the value: false is certain, true is not. */
  has(value: V): boolean;

  /** User space cannot write from now on; programs can (BPF_MAP_FREEZE, 5.2). */
  freeze(): void;
  /** Maps the values of an array made with BPF_F_MMAPABLE (5.5); for reading alone when the map is frozen. */
  memory(): MapMemory<V>;

  /**
   * Closes it and, where making it pinned it, takes the pin back: for a load that fails later. Absent where nothing is
   * pinned.
   */
  discard?(): void;

  /** Opens a reader: ring buffers and perf event arrays only. */
  records(options?: RecordReaderOptions): RecordReader;

  close(): void;
}
