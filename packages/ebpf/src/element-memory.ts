// SPDX-License-Identifier: Apache-2.0

import type { MapMemory } from "./bpf-map.ts";
import type { Codec } from "./codec.ts";
import { ClosedError, InvalidValueError } from "./errors.ts";

/** What an {@link ElementMemory} is made of. */
export interface ElementMemoryParts<V> {
  /** The elements, one after the other. */
  readonly bytes: Uint8Array;
  /** Bytes of an element. */
  readonly size: number;
  /** The codec of an element, asked for when one is first decoded or encoded: plain bytes need none. */
  readonly codec: () => Codec<V>;
  readonly writable: boolean;
  /** For error messages: `map "flows"`. */
  readonly object: string;
  /** Called once, when it is closed. */
  readonly release: () => void;
}

/** Elements in memory that somebody else holds, decoded in place. */
export class ElementMemory<V> implements MapMemory<V> {
  readonly stride: number;
  readonly writable: boolean;
  readonly #object: string;
  readonly #size: number;
  readonly #codec: () => Codec<V>;
  readonly #scratch: Uint8Array;
  #bytes: Uint8Array;
  #release: (() => void) | undefined;

  constructor({ bytes, size, codec, writable, object, release }: ElementMemoryParts<V>) {
    this.stride = Math.ceil(size / 8) * 8;
    this.writable = writable;
    this.#object = object;
    this.#size = size;
    this.#codec = codec;
    this.#scratch = new Uint8Array(size);
    this.#bytes = bytes;
    this.#release = release;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get(index: number): V {
    const offset = this.#offsetOf(index);
    return this.#codec().decode(this.#bytes, offset);
  }

  set(index: number, value: V): void {
    const offset = this.#offsetOf(index);
    if (!this.writable) throw new InvalidValueError(`${this.#object} is mapped for reading alone`);
    // Not in place: a value that does not fit would be half written, and padding is cleared before it is filled.
    this.#codec().encode(value, this.#scratch, 0);
    this.#bytes.set(this.#scratch, offset);
  }

  close(): void {
    const release = this.#release;
    this.#release = undefined;
    this.#bytes = new Uint8Array(0);
    release?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #offsetOf(index: number): number {
    if (this.#release === undefined) throw new ClosedError(`memory of ${this.#object}`);
    const offset = index * this.stride;
    if (Number.isInteger(index) && index >= 0 && offset + this.#size <= this.#bytes.length) return offset;
    const count = Math.ceil(this.#bytes.length / this.stride);
    throw new InvalidValueError(`${this.#object} has ${count} elements, ${index} is none of them`);
  }
}
