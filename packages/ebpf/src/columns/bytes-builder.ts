// SPDX-License-Identifier: Apache-2.0

import type { BytesVector } from "../vector.ts";

/** From how many bytes on a native copy pays for the view that it needs. */
const NATIVE_COPY = 160;

/** Bytes are copied by words: as many as this may be read, and written, behind the last. */
const SLACK = 3;

/** Bytes to take from, in two forms. */
export interface ByteSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** A source that has no more than the given bytes. */
export interface WholeSource extends ByteSource {
  readonly length: number;
}

/** Copies bytes into a source of their own, with room behind them. */
export function wholeSource(content: Uint8Array): WholeSource {
  const bytes = new Uint8Array(content.length + SLACK);
  bytes.set(content);
  return { bytes, view: new DataView(bytes.buffer), length: content.length };
}

/** Gathers the byte strings of one column over the rows of a batch. */
export class BytesBuilder {
  #data: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  readonly #offsets: Uint32Array<ArrayBuffer>;
  #rows = 0;
  #length = 0;

  /** `expected` bytes in all; more is taken when needed. */
  constructor(rows: number, expected: number) {
    this.#offsets = new Uint32Array(rows + 1);
    this.#data = new Uint8Array(expected + SLACK);
    this.#view = new DataView(this.#data.buffer);
  }

  /** Rows that were ended. */
  get rows(): number {
    return this.#rows;
  }

  /** Bytes gathered so far. */
  get length(): number {
    return this.#length;
  }

  /** Appends the source's bytes from `start` up to `end` to the current row. */
  append(source: ByteSource, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length);
    let to = this.#length;
    this.#length = to + length;
    if (length >= NATIVE_COPY || end + SLACK > source.bytes.length) {
      this.#data.set(source.bytes.subarray(start, end), to);
      return;
    }
    const from = source.view;
    const view = this.#view;
    for (let at = start; at < end; at += 4, to += 4) view.setInt32(to, from.getInt32(at));
  }

  /** Appends the source's bytes from `start` up to the first 0 or to `limit` to the current row. */
  appendText(source: ByteSource, start: number, limit: number): void {
    const most = limit - start + SLACK;
    if (start + most > source.bytes.length || this.#length + most > this.#data.length) {
      let end = start;
      while (end < limit && source.bytes[end] !== 0) end++;
      this.append(source, start, end);
      return;
    }
    // By words, looked at while they are copied. What is copied behind the text is overwritten by the next row.
    const from = source.view;
    const view = this.#view;
    let to = this.#length;
    let end = limit;
    for (let at = start; at < limit; at += 4, to += 4) {
      const word = from.getInt32(at, true);
      view.setInt32(to, word, true);
      // The highest bit of each byte that is 0, and maybe of some after the first such byte.
      const zeros = (word - 0x0101_0101) & ~word & 0x8080_8080;
      if (zeros !== 0) {
        end = Math.min(limit, at + ((31 - Math.clz32(zeros & -zeros)) >> 3));
        break;
      }
    }
    this.#length += end - start;
  }

  /** Appends one byte to the current row. */
  appendByte(byte: number): void {
    this.#reserve(1);
    this.#data[this.#length++] = byte;
  }

  /** What was appended since the row before is this row's value. */
  endRow(): void {
    this.#offsets[++this.#rows] = this.#length;
  }

  /** The column; the builder is not used again. */
  finish(): BytesVector {
    // A batch may be kept for long: one that came out far smaller than expected gives the rest back.
    const wasteful = this.#data.length > 2 * this.#length + 4096;
    return { kind: "bytes", offsets: this.#offsets, data: wasteful ? this.#data.slice(0, this.#length) : this.#data };
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes + SLACK;
    if (needed <= this.#data.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#data.length, 256));
    larger.set(this.#data.subarray(0, this.#length));
    this.#data = larger;
    this.#view = new DataView(larger.buffer);
  }
}
