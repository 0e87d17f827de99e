// SPDX-License-Identifier: Apache-2.0

import { addressOf, BpfCommand, bpfError, type MapElementCalls } from "@skep/linux";

const ENOENT = 2;

/** Steps through the keys of a map (BPF_MAP_GET_NEXT_KEY). */
export class KeyWalk {
  readonly #calls: MapElementCalls;
  readonly #object: string;
  // The kernel reads the last key while it writes the next: two arrays that take turns.
  #key: Uint8Array;
  #next: Uint8Array;
  #keyAddress: number;
  #nextAddress: number;
  #started = false;
  #left: number;

  constructor(calls: MapElementCalls, keySize: number, maxEntries: number, object: string) {
    this.#calls = calls;
    this.#object = object;
    this.#key = new Uint8Array(new ArrayBuffer(keySize));
    this.#next = new Uint8Array(new ArrayBuffer(keySize));
    this.#keyAddress = addressOf(this.#key);
    this.#nextAddress = addressOf(this.#next);
    // When a key vanishes under it the kernel starts anew, so a map that is being changed could go on for ever.
    this.#left = maxEntries;
  }

  /** The next key, valid until the call after; undefined at the end. The map must be open. */
  next(): Uint8Array | undefined {
    if (this.#left-- === 0) return undefined;
    const result = this.#calls.nextKey(this.#started ? this.#keyAddress : 0, this.#nextAddress);
    if (result === -ENOENT) return undefined;
    if (result < 0) throw bpfError(BpfCommand.MAP_GET_NEXT_KEY, -result, this.#object);
    this.#started = true;
    const key = this.#next;
    const address = this.#nextAddress;
    this.#next = this.#key;
    this.#nextAddress = this.#keyAddress;
    this.#key = key;
    this.#keyAddress = address;
    return key;
  }
}
