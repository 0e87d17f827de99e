// SPDX-License-Identifier: Apache-2.0

import { MalformedError } from "./errors.ts";

/** The byte order of an object file, of its BTF and of its instructions. */
export type ByteOrder = "little" | "big";

/**
 * Reads numbers and byte ranges from input that is not to be trusted. Every read is checked against the end;
 * what does not fit throws a MalformedError with the place and the offset, so that nothing is ever sized by a
 * count that the input merely claims.
 *
 * Reads at the cursor (`u32`) advance it; reads at an offset (`u32At`) do not.
 */
export class ByteCursor {
  /** What the bytes are, for messages: `section header table`, `.BTF`. */
  readonly place: string;
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  /** Where the next read begins. */
  offset = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, byteOrder: ByteOrder, place: string) {
    this.bytes = bytes;
    this.place = place;
    this.littleEndian = byteOrder === "little";
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes between the cursor and the end. */
  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  /** An error about this input, to be thrown by the caller. */
  malformed(message: string, offset: number | undefined = this.offset): MalformedError {
    return new MalformedError(this.place, offset, message);
  }

  /** Throws unless `size` bytes lie at `offset`. */
  require(offset: number, size: number): void {
    if (offset < 0 || size < 0 || offset + size > this.bytes.length) {
      throw new MalformedError(this.place, offset, `${size} bytes wanted, the end is at byte ${this.bytes.length}`);
    }
  }

  /** Moves to an offset; the end itself is allowed. */
  seek(offset: number): void {
    this.require(offset, 0);
    this.offset = offset;
  }

  /** Leaves out `size` bytes. */
  skip(size: number): void {
    this.require(this.offset, size);
    this.offset += size;
  }

  /** Reads a byte and advances. */
  u8(): number {
    const value = this.u8At(this.offset);
    this.offset += 1;
    return value;
  }

  /** Reads 2 bytes, unsigned, and advances. */
  u16(): number {
    const value = this.u16At(this.offset);
    this.offset += 2;
    return value;
  }

  /** Reads 4 bytes, unsigned, and advances. */
  u32(): number {
    const value = this.u32At(this.offset);
    this.offset += 4;
    return value;
  }

  /** Reads 4 bytes, signed, and advances. */
  i32(): number {
    return this.u32() | 0;
  }

  /** Reads 8 bytes, unsigned, and advances. */
  u64(): bigint {
    const value = this.u64At(this.offset);
    this.offset += 8;
    return value;
  }

  /** A 64-bit offset or size, as a number. Values above 2^53 come out inexact, and far past any end. */
  size64(): number {
    const value = this.size64At(this.offset);
    this.offset += 8;
    return value;
  }

  /** The next `size` bytes, not copied. */
  take(size: number): Uint8Array {
    const bytes = this.slice(this.offset, size);
    this.offset += size;
    return bytes;
  }

  /** The byte at an offset; the cursor stays. */
  u8At(offset: number): number {
    this.require(offset, 1);
    return this.#view.getUint8(offset);
  }

  /** 2 bytes at an offset, unsigned; the cursor stays. */
  u16At(offset: number): number {
    this.require(offset, 2);
    return this.#view.getUint16(offset, this.littleEndian);
  }

  /** 4 bytes at an offset, unsigned; the cursor stays. */
  u32At(offset: number): number {
    this.require(offset, 4);
    return this.#view.getUint32(offset, this.littleEndian);
  }

  /** 4 bytes at an offset, signed; the cursor stays. */
  i32At(offset: number): number {
    return this.u32At(offset) | 0;
  }

  /** 8 bytes at an offset, unsigned; the cursor stays. */
  u64At(offset: number): bigint {
    this.require(offset, 8);
    return this.#view.getBigUint64(offset, this.littleEndian);
  }

  /** As {@link size64}, at an offset; the cursor stays. */
  size64At(offset: number): number {
    this.require(offset, 8);
    const first = this.#view.getUint32(offset, this.littleEndian);
    const second = this.#view.getUint32(offset + 4, this.littleEndian);
    return this.littleEndian ? second * 2 ** 32 + first : first * 2 ** 32 + second;
  }

  /** `size` bytes at `offset`, not copied. */
  slice(offset: number, size: number): Uint8Array {
    this.require(offset, size);
    return this.bytes.subarray(offset, offset + size);
  }
}
