// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "../errors.ts";

const encoder = new TextEncoder();

/**
 * A table of strings under construction, as BTF and ELF have them, each ended by NUL: equal strings are stored once,
 * the empty one is at 0.
 */
export class StringBuilder {
  readonly #offsets = new Map<string, number>([["", 0]]);
  readonly #chunks: Uint8Array[] = [new Uint8Array(1)];
  readonly #start: number;
  #size = 1;

  /** For split BTF: `start` is how many bytes the strings of the base take, which come before these. */
  constructor(start = 0) {
    this.#start = start;
    if (start > 0) {
      // The empty string is the base's.
      this.#chunks.length = 0;
      this.#size = 0;
    }
  }

  /** The offset of a string. Throws InvalidValueError when it holds a NUL. */
  offsetOf(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    if (text.includes("\0")) throw new InvalidValueError(`the name ${JSON.stringify(text)} holds a NUL`);
    const offset = this.#start + this.#size;
    const bytes = encoder.encode(`${text}\0`);
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    this.#offsets.set(text, offset);
    return offset;
  }

  /** The section. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }
}
