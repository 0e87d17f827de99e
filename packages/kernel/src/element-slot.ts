// SPDX-License-Identifier: Apache-2.0

import type { Codec } from "@skep/ebpf";
import { addressOf } from "@skep/linux";

/** Memory that the kernel reads and writes, for one key or one value, and what turns it into JavaScript and back. */
export interface ElementSlot<T> {
  readonly bytes: Uint8Array;
  /** Where the bytes lie; 0 when there are none. */
  readonly address: number;
  readonly codec: Codec<T>;
  /** The value that stands there. */
  get(): T;
  /** Throws InvalidValueError, and leaves the bytes undefined. */
  set(value: T): void;
}

/**
 * Makes a slot of `size` bytes. Integers of 4 and 8 bytes, what keys and values are most often, are read and written without
 * the codec: beside a system call of some 700 ns it would be a twentieth of a lookup.
 */
export function elementSlot<T>(codec: Codec<T>, size: number): ElementSlot<T> {
  // What `plain` says is what T is.
  if (codec.plain === "u32") return new NumberSlot(codec as Codec<unknown>) as ElementSlot<unknown> as ElementSlot<T>;
  if (codec.plain === "u64") return new BigintSlot(codec as Codec<unknown>) as ElementSlot<unknown> as ElementSlot<T>;
  return new CodecSlot(codec, size);
}

class CodecSlot<T> implements ElementSlot<T> {
  readonly bytes: Uint8Array;
  readonly address: number;
  readonly codec: Codec<T>;

  constructor(codec: Codec<T>, size: number) {
    this.codec = codec;
    this.bytes = new Uint8Array(new ArrayBuffer(size));
    this.address = addressOf(this.bytes);
  }

  get(): T {
    return this.codec.decode(this.bytes, 0);
  }

  set(value: T): void {
    this.codec.encode(value, this.bytes, 0);
  }
}

class NumberSlot extends CodecSlot<unknown> {
  readonly #word: Uint32Array;

  constructor(codec: Codec<unknown>) {
    super(codec, 4);
    this.#word = new Uint32Array(this.bytes.buffer);
  }

  override get(): unknown {
    return this.#word[0];
  }

  override set(value: unknown): void {
    if (typeof value === "number" && value >>> 0 === value) this.#word[0] = value;
    else this.codec.encode(value, this.bytes, 0);
  }
}

class BigintSlot extends CodecSlot<unknown> {
  readonly #word: BigUint64Array;

  constructor(codec: Codec<unknown>) {
    super(codec, 8);
    this.#word = new BigUint64Array(this.bytes.buffer);
  }

  override get(): unknown {
    return this.#word[0];
  }

  override set(value: unknown): void {
    if (typeof value === "bigint" && BigInt.asUintN(64, value) === value) this.#word[0] = value;
    else this.codec.encode(value, this.bytes, 0);
  }
}
