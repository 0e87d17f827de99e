// SPDX-License-Identifier: Apache-2.0

import { MalformedError } from "./errors.ts";

const decoder = new TextDecoder();

/**
 * A table of NUL-terminated strings (ELF string tables, the string section of BTF). Strings are decoded when
 * asked for.
 *
 * Strings may share bytes: one is often the end of another. Hostile tables use that to make a small table mean
 * a great deal of text, therefore the length of a string is bounded: 64 KiB, and for names `maximumName`.
 */
export class StringTable {
  /** KSYM_NAME_LEN of Linux 6.1 and later: the longest name that the kernel takes. */
  static readonly maximumName = 512;
  static readonly maximumText = 65_536;

  readonly bytes: Uint8Array;
  readonly #place: string;

  constructor(bytes: Uint8Array, place: string) {
    this.bytes = bytes;
    this.#place = place;
  }

  /** The string at an offset. Throws MalformedError when it begins or ends past the table, or is too long. */
  text(offset: number): string {
    return this.#decode(offset, StringTable.maximumText);
  }

  /** As {@link text}, for names. */
  name(offset: number): string {
    return this.#decode(offset, StringTable.maximumName);
  }

  #decode(offset: number, maximum: number): string {
    const { bytes } = this;
    if (offset >= bytes.length) {
      throw new MalformedError(this.#place, offset, `a string begins past the end at byte ${bytes.length}`);
    }
    const limit = Math.min(bytes.length, offset + maximum + 1);
    let end = offset;
    let seen = 0;
    while (end < limit) {
      const byte = bytes[end] as number;
      if (byte === 0) break;
      seen |= byte;
      end++;
    }
    if (end === limit) {
      throw new MalformedError(
        this.#place,
        offset,
        limit === bytes.length ? "a string has no end" : `a string is longer than ${maximum} bytes`,
      );
    }
    // TextDecoder costs more than the text for names of this length, and nearly all are ASCII.
    if (seen < 0x80 && end - offset <= 64)
      return String.fromCharCode.apply(undefined, bytes.subarray(offset, end) as unknown as number[]);
    return decoder.decode(bytes.subarray(offset, end));
  }
}
