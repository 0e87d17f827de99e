// SPDX-License-Identifier: Apache-2.0

import { type BatchCursor, InvalidValueError } from "@skep/ebpf";
import type { ElementStore } from "./element-store.ts";
import type { MapBlock } from "./map-block.ts";
import { MapErrno, MapError } from "./map-error.ts";
import { MapWord } from "./map-header.ts";

/**
 * Batch operations. Of hash maps whole buckets are delivered, as the kernel does, so that a walk comes to its end whatever
 * changes meanwhile; of others keys one after the other.
 */
export class MapBatches {
  readonly #block: MapBlock;
  readonly #store: ElementStore;
  readonly #keySize: number;
  readonly #valueSize: number;
  readonly #key: Uint8Array;

  constructor(block: MapBlock, store: ElementStore, rawValueSize: number) {
    this.#block = block;
    this.#store = store;
    this.#keySize = block.spec.keySize;
    this.#valueSize = rawValueSize;
    this.#key = new Uint8Array(this.#keySize);
  }

  /** See BpfMap.lookupBatchRaw; `remove` makes it BpfMap.lookupAndDeleteBatchRaw. */
  lookup(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array, remove: boolean): number {
    const capacity = this.#capacity(keys, values);
    const count = this.tryLookup(cursor, keys, values, capacity, remove);
    if (count !== "too small") return count;
    throw new InvalidValueError(
      `${this.#block.object}: room for ${capacity} entries, but one bucket holds more; whole buckets are read`,
    );
  }

  /** As `lookup`, with the number of entries that fit given. */
  tryLookup(
    cursor: BatchCursor,
    keys: Uint8Array,
    values: Uint8Array,
    capacity: number,
    remove: boolean,
  ): number | "too small" {
    if (remove && this.#block.kind.own["take"] === undefined)
      throw this.#error("lookup and delete", -MapErrno.ENOTSUPP);
    if (cursor.done) return 0;
    return this.#block.kind.shape === "hash"
      ? this.#lookupBuckets(cursor, keys, values, capacity, remove)
      : this.#lookupKeys(cursor, keys, values, capacity);
  }

  /** See BpfMap.updateBatchRaw. An error after some entries is told by the next call, which begins with the one that failed. */
  update(
    keys: Uint8Array,
    values: Uint8Array,
    count: number,
    update: (key: Uint8Array, value: Uint8Array) => void,
  ): number {
    this.#checkRoom("keys", keys, count * this.#keySize);
    this.#checkRoom("values", values, count * this.#valueSize);
    for (let i = 0; i < count; i++) {
      try {
        update(this.#keyAt(keys, i), values.subarray(i * this.#valueSize, (i + 1) * this.#valueSize));
      } catch (error) {
        if (i === 0) throw error;
        return i;
      }
    }
    return count;
  }

  /** See BpfMap.deleteBatchRaw. Stops at the first key that is absent, as the kernel does. */
  delete(keys: Uint8Array, count: number, remove: (key: Uint8Array) => boolean): number {
    this.#checkRoom("keys", keys, count * this.#keySize);
    let deleted = 0;
    while (deleted < count && remove(this.#keyAt(keys, deleted))) deleted++;
    return deleted;
  }

  #lookupKeys(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array, capacity: number): number {
    let from = cursor.position;
    const position = cursor.position ?? new Uint8Array(this.#keySize);
    let count = 0;
    while (count < capacity) {
      const found = this.#store.next(from, position);
      if (found === -MapErrno.ENOENT) {
        cursor.done = true;
        break;
      }
      if (found < 0) throw this.#error("lookup", found);
      from = position;
      const result = this.#store.lookup(position, this.#valueAt(values, count), false);
      if (result === -MapErrno.ENOENT) continue;
      if (result < 0) throw this.#error("lookup", result);
      keys.set(position, count * this.#keySize);
      count++;
    }
    if (from !== undefined) cursor.position = position;
    return count;
  }

  #lookupBuckets(
    cursor: BatchCursor,
    keys: Uint8Array,
    values: Uint8Array,
    capacity: number,
    remove: boolean,
  ): number | "too small" {
    const buckets = this.#block.layout.mask + 1;
    const found: number[] = [];
    let count = 0;
    let bucket = cursor.position === undefined ? 0 : new DataView(cursor.position.buffer).getUint32(0);
    for (; bucket < buckets; bucket++) {
      this.#bucket(bucket, found);
      if (found.length > capacity - count) {
        if (count === 0) return "too small";
        break;
      }
      for (const at of found) {
        this.#key.set(this.#block.space.memory.slice(at, this.#keySize));
        const value = this.#valueAt(values, count);
        const result = remove ? this.#store.take(this.#key, value) : this.#store.lookup(this.#key, value, false);
        // Gone since the bucket was read.
        if (result < 0) continue;
        keys.set(this.#key, count * this.#keySize);
        count++;
      }
    }
    cursor.done = bucket === buckets;
    cursor.position = new Uint8Array(4);
    new DataView(cursor.position.buffer).setUint32(0, bucket);
    return count;
  }

  /** Addresses of the keys in a bucket; again from the beginning when it changes meanwhile. */
  #bucket(bucket: number, found: number[]): void {
    const { space, words, layout } = this.#block;
    const { memory } = space;
    let at: number;
    do {
      found.length = 0;
      at = memory.view.getUint32(memory.index((words[MapWord.BUCKETS] as number) >>> 0) + bucket * 4, true);
      while ((at & 1) === 0) {
        found.push(at + (layout.key ?? 0));
        at = memory.view.getUint32(memory.index(at), true);
      }
    } while (at !== bucket * 2 + 1);
  }

  #keyAt(keys: Uint8Array, index: number): Uint8Array {
    return keys.subarray(index * this.#keySize, (index + 1) * this.#keySize);
  }

  #valueAt(values: Uint8Array, index: number): Uint8Array {
    return values.subarray(index * this.#valueSize, (index + 1) * this.#valueSize);
  }

  #capacity(keys: Uint8Array, values: Uint8Array): number {
    const capacity = Math.min(Math.floor(keys.length / this.#keySize), Math.floor(values.length / this.#valueSize));
    if (capacity > 0) return capacity;
    throw new InvalidValueError(
      `${this.#block.object}: an entry takes ${this.#keySize} and ${this.#valueSize} bytes, ${keys.length} and ${values.length} were given`,
    );
  }

  #checkRoom(what: string, bytes: Uint8Array, wanted: number): void {
    if (bytes.length >= wanted) return;
    throw new InvalidValueError(`${this.#block.object}: ${what} are ${bytes.length} bytes, the entries take ${wanted}`);
  }

  #error(operation: string, result: number): MapError {
    return new MapError(this.#block.object, operation, -result);
  }
}
