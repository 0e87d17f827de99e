// SPDX-License-Identifier: Apache-2.0

import { addressOf } from "./memory-address.ts";

/**
 * Memory for one C structure that the kernel reads and writes: allocated once outside V8's heap, its address
 * taken once. Offsets are in bytes; fields are in the machine's byte order, little-endian on both architectures.
 */
export class AttrBuffer {
  /** Bytes of the structure. */
  readonly size: number;
  /** Where the structure lies. */
  readonly address: number;
  /** The structure's bytes. */
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #kept: ArrayBufferView[] = [];

  constructor(size: number) {
    const buffer = new ArrayBuffer(size);
    this.size = size;
    this.bytes = new Uint8Array(buffer);
    this.address = addressOf(this.bytes);
    this.#view = new DataView(buffer);
  }

  /** Zeroes every field. */
  clear(): this {
    this.bytes.fill(0);
    return this;
  }

  /** Stores an unsigned 32-bit field; 2^32 and above wrap. */
  u32(offset: number, value: number): this {
    this.#view.setUint32(offset, value, true);
    return this;
  }

  /** Stores a signed 32-bit field, such as a descriptor. */
  i32(offset: number, value: number): this {
    this.#view.setInt32(offset, value, true);
    return this;
  }

  /** Stores a 64-bit field from a number below 2^53, such as an address or a size. */
  u64(offset: number, value: number): this {
    this.#view.setUint32(offset, value, true);
    this.#view.setUint32(offset + 4, value / 0x1_0000_0000, true);
    return this;
  }

  /** Stores a 64-bit field. */
  bigint(offset: number, value: bigint): this {
    this.#view.setBigUint64(offset, value, true);
    return this;
  }

  /** Stores the address of a view's first byte and keeps its memory alive as long as this structure. */
  pointer(offset: number, view: ArrayBufferView | undefined): this {
    if (view === undefined) return this.u64(offset, 0);
    this.#kept.push(view);
    return this.u64(offset, addressOf(view));
  }

  /** Stores a NUL-terminated string, cut to `size - 1` bytes. */
  text(offset: number, size: number, value: string): this {
    const field = this.bytes.subarray(offset, offset + size - 1);
    field.set(Buffer.from(value, "latin1").subarray(0, field.length));
    return this;
  }

  /** Reads an unsigned 32-bit field, as the kernel left it. */
  getU32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  /** Reads a signed 32-bit field, as the kernel left it. */
  getI32(offset: number): number {
    return this.#view.getInt32(offset, true);
  }

  /** Reads an unsigned 64-bit field, as the kernel left it. */
  getBigint(offset: number): bigint {
    return this.#view.getBigUint64(offset, true);
  }
}
