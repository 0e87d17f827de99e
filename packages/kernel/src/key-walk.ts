// SPDX-License-Identifier: Apache-2.0

import { BpfCommand, bpfError, type MapElementCalls } from "@skep/linux";
import type { ElementSlot } from "./element-slot.ts";

const ENOENT = 2;
/**
 * The kernel makes some maps larger than they were asked to be: to a power of two (stack traces), to a multiple of the
 * number of CPUs (BPF_F_NO_COMMON_LRU). It has no more of them than this (CONFIG_NR_CPUS).
 */
const MOST_CPUS = 8192;

/** Steps through the keys of a map (BPF_MAP_GET_NEXT_KEY). */
export class KeyWalk<K> {
  readonly #calls: MapElementCalls;
  readonly #object: string;
  readonly #checkOpen: () => void;
  readonly #address: number;
  /** Where the key stands; the next step needs it as it is. */
  readonly key: ElementSlot<K>;
  #from = 0;
  #left: number;

  constructor(calls: MapElementCalls, key: ElementSlot<K>, maxEntries: number, checkOpen: () => void, object: string) {
    this.#calls = calls;
    this.#object = object;
    this.#checkOpen = checkOpen;
    this.key = key;
    this.#address = key.address;
    // When a key vanishes under it the kernel starts anew, so a map that is being changed could go on for ever.
    // Storages have no number of entries, and those whose keys can be walked do not start anew.
    this.#left = maxEntries === 0 ? Number.POSITIVE_INFINITY : 2 * maxEntries + MOST_CPUS;
  }

  /** Puts the next key into its slot; false at the end. Throws ClosedError when the map was closed. */
  next(): boolean {
    this.#checkOpen();
    if (this.#left-- <= 0) return false;
    // The kernel copies the key that it is given before it writes the next one over it.
    const result = this.#calls.nextKey(this.#from, this.#address);
    if (result === 0) {
      this.#from = this.#address;
      return true;
    }
    this.#left = 0;
    if (result === -ENOENT) return false;
    throw bpfError(BpfCommand.MAP_GET_NEXT_KEY, -result, this.#object);
  }
}

/** The keys of a walk as values; a generator costs twice as much a step. */
export class KeyIterator<K> implements IterableIterator<K, undefined> {
  readonly #walk: KeyWalk<K>;

  constructor(walk: KeyWalk<K>) {
    this.#walk = walk;
  }

  next(): IteratorResult<K, undefined> {
    return this.#walk.next() ? { done: false, value: this.#walk.key.get() } : { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }
}
