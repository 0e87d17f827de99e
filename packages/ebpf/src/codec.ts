// SPDX-License-Identifier: Apache-2.0

/** Turns a value into the bytes that a program sees, and back. Made from BTF by `codecFor`. */
export interface Codec<T> {
  /** Bytes of one value. */
  readonly size: number;
  /** Set where values are unsigned integers in the machine's byte order: numbers of 4 bytes, bigints of 8. */
  readonly plain?: "u32" | "u64";
  /** Reads the value at `offset`. */
  decode(bytes: Uint8Array, offset: number): T;
  /** Writes the value at `offset`; padding is zeroed. Throws InvalidValueError naming the field. */
  encode(value: T, bytes: Uint8Array, offset: number): void;
}
