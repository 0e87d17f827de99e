// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "./btf/btf.ts";
import { CodecBuilder } from "./codec/codec-builder.ts";
import { EncodeProblem } from "./codec/encode-problem.ts";
import type { ValueCodec } from "./codec/value-codec.ts";
import type { Codec } from "./codec.ts";
import { InvalidValueError } from "./errors.ts";

/**
 * Makes the codec of a BTF type, once: what it decodes and encodes is
 *
 * | C | JavaScript |
 * |---|---|
 * | integers up to 4 bytes | number |
 * | integers of 8 and 16 bytes, pointers | bigint |
 * | `_Bool` | boolean |
 * | `float`, `double` | number |
 * | enum | its label; a value without one is a number, or a bigint where a number is not exact |
 * | bitfield | as an integer of its bits: number up to 32, bigint beyond |
 * | `char[n]` | string, to the first NUL |
 * | `__u8[n]` | Uint8Array |
 * | other arrays | array |
 * | struct | object with all members; those of anonymous structs and unions are its own |
 * | union | decodes to an object with every member, encodes from an object with exactly one |
 *
 * Every integer field also takes the other of number and bigint as long as the value is in range and exact. Every
 * field must be given; unknown fields are refused. Types of variables and data sections work too.
 *
 * `encode` throws InvalidValueError with the field's path (`field "a.b": 300 does not fit into u8 (0..255)`) and
 * then leaves the bytes of the value undefined. Throws MalformedError when the type has no values, or contradicts itself.
 */
export function codecFor(btf: Btf, typeId: number): Codec<unknown> {
  return new BtfCodec(new CodecBuilder(btf).build(typeId), btf.byteOrder === "little");
}

/** The root of a tree of codecs: the one place that checks bounds, clears padding and words errors. */
class BtfCodec implements Codec<unknown> {
  readonly #root: ValueCodec;
  readonly size: number;
  readonly plain?: "u32" | "u64";
  /** Of the buffer used last: callers decode from the same one again and again. */
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(root: ValueCodec, little: boolean) {
    this.#root = root;
    this.size = root.size;
    if (root.plain !== undefined && little) this.plain = root.plain;
  }

  decode(bytes: Uint8Array, offset: number): unknown {
    const view = this.#viewOf(bytes, offset);
    const at = bytes.byteOffset + offset;
    if (this.plain === "u32") return view.getUint32(at, true);
    if (this.plain === "u64") return view.getBigUint64(at, true);
    return this.#root.read(view, at);
  }

  encode(value: unknown, bytes: Uint8Array, offset: number): void {
    const view = this.#viewOf(bytes, offset);
    const at = bytes.byteOffset + offset;
    if (this.plain === "u32" && typeof value === "number" && value >>> 0 === value) {
      view.setUint32(at, value, true);
      return;
    }
    if (this.plain === "u64" && typeof value === "bigint" && BigInt.asUintN(64, value) === value) {
      view.setBigUint64(at, value, true);
      return;
    }
    // Padding.
    bytes.fill(0, offset, offset + this.size);
    try {
      this.#root.write(value, view, at);
    } catch (error) {
      if (error instanceof EncodeProblem) throw new InvalidValueError(error.toString());
      throw error;
    }
  }

  #viewOf(bytes: Uint8Array, offset: number): DataView {
    if (!(offset >= 0 && offset + this.size <= bytes.length)) {
      throw new InvalidValueError(`a value of ${this.size} bytes does not fit at ${offset} of ${bytes.length} bytes`);
    }
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer);
    return this.#view;
  }
}
