// SPDX-License-Identifier: Apache-2.0

import { addressOf, BpfCommand, bpfError, type MapElementCalls } from "@skep/linux";

const ENOENT = 2;
/**
 * The kernel makes some maps larger than they were asked to be: to a power of two (stack traces), to a multiple of the
 * number of CPUs (BPF_F_NO_COMMON_LRU). It has no more of them than this (CONFIG_NR_CPUS).
 */
const MOST_CPUS = 8192;

/** Steps through the keys of a map (BPF_MAP_GET_NEXT_KEY). */
export class KeyWalk {
  readonly #calls: MapElementCalls;
  readonly #object: string;
  /** The kernel copies the key that it is given before it writes the next one over it. */
  readonly #key: Uint8Array;
  readonly #address: number;
  #from = 0;
  #left: number;

  constructor(calls: MapElementCalls, keySize: number, maxEntries: number, object: string) {
    this.#calls = calls;
    this.#object = object;
    this.#key = new Uint8Array(new ArrayBuffer(keySize));
    this.#address = addressOf(this.#key);
    // When a key vanishes under it the kernel starts anew, so a map that is being changed could go on for ever.
    // Storages have no number of entries, and those whose keys can be walked do not start anew.
    this.#left = maxEntries === 0 ? Number.POSITIVE_INFINITY : 2 * maxEntries + MOST_CPUS;
  }

  /** The next key, valid until the call after, which needs it as it is; undefined at the end. The map must be open. */
  next(): Uint8Array | undefined {
    if (this.#left-- === 0) return undefined;
    const result = this.#calls.nextKey(this.#from, this.#address);
    if (result === -ENOENT) return undefined;
    if (result < 0) throw bpfError(BpfCommand.MAP_GET_NEXT_KEY, -result, this.#object);
    this.#from = this.#address;
    return this.#key;
  }
}
