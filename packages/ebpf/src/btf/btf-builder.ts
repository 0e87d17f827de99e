// SPDX-License-Identifier: Apache-2.0

import type { ByteOrder } from "../cursor.ts";
import { InvalidValueError } from "../errors.ts";
import type { Btf } from "./btf.ts";
import { BtfTable } from "./btf-table.ts";
import { encodeType } from "./encode-type.ts";
import { StringBuilder } from "./string-builder.ts";
import type { BtfType } from "./types.ts";

const MAGIC = 0xeb9f;
const HEADER_SIZE = 24;

/**
 * Makes BTF: types are added one after the other and get the ids 1, 2, 3 …; a type may refer to ids that are only
 * added later. `build` gives bytes for BPF_BTF_LOAD, for an object's .BTF section, and for `readBtf`.
 */
export class BtfBuilder {
  readonly #byteOrder: ByteOrder;
  readonly #words: number[] = [];
  readonly #strings: StringBuilder;
  #count: number;

  /**
   * With a `base` the result is split BTF on it: ids and strings go on where those of the base end. Throws
   * InvalidValueError when the base is not of `readBtf`.
   */
  constructor(byteOrder: ByteOrder = "little", base?: Btf) {
    this.#byteOrder = byteOrder;
    if (base !== undefined && !(base instanceof BtfTable)) {
      throw new InvalidValueError("the base of split BTF is what readBtf has read");
    }
    this.#count = base?.typeCount ?? 1;
    this.#strings = new StringBuilder(base?.strings.bytes.length);
  }

  /** Number of types, `void` included: the id of the next one. */
  get typeCount(): number {
    return this.#count;
  }

  /** Adds a type and returns its id. Throws InvalidValueError for what the format cannot hold. */
  add(type: BtfType): number {
    for (const word of encodeType(type, (text) => this.#strings.offsetOf(text))) this.#words.push(word);
    return this.#count++;
  }

  /** The offset of a string in the string section, as line_info and CO-RE relocations want it. */
  string(text: string): number {
    return this.#strings.offsetOf(text);
  }

  /** The bytes, with a header of 24 bytes. Adding and building again is fine. */
  build(): Uint8Array {
    const strings = this.#strings.bytes();
    const typesSize = this.#words.length * 4;
    const bytes = new Uint8Array(HEADER_SIZE + typesSize + strings.length);
    const view = new DataView(bytes.buffer);
    const little = this.#byteOrder === "little";
    view.setUint16(0, MAGIC, little);
    view.setUint8(2, 1);
    [HEADER_SIZE, 0, typesSize, typesSize, strings.length].forEach((word, i) => {
      view.setUint32(4 + i * 4, word, little);
    });
    this.#words.forEach((word, i) => {
      view.setUint32(HEADER_SIZE + i * 4, word, little);
    });
    bytes.set(strings, HEADER_SIZE + typesSize);
    return bytes;
  }
}

/**
 * Writes all types of a table anew, with the same ids, in either byte order. Reading the result gives equal types;
 * bitfields from before Linux 5.1 come out in today's form. Throws InvalidValueError for kinds newer than ENUM64.
 */
export function writeBtf(btf: Btf, byteOrder: ByteOrder = btf.byteOrder): Uint8Array {
  const builder = new BtfBuilder(byteOrder);
  for (let id = 1; id < btf.typeCount; id++) {
    try {
      builder.add(btf.typeById(id));
    } catch (cause) {
      throw new InvalidValueError(`type ${id} cannot be written: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      });
    }
  }
  return builder.build();
}
