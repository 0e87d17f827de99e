// SPDX-License-Identifier: Apache-2.0

import type { BytesVector } from "../vector.ts";

/** From how many bytes on a native copy pays for the view that it needs. */
const NATIVE_COPY = 48;

/** Gathers the byte strings of one column over the rows of a batch. */
export class BytesBuilder {
  #data: Uint8Array<ArrayBuffer>;
  readonly #offsets: Uint32Array<ArrayBuffer>;
  #rows = 0;
  #length = 0;

  /** `expected` bytes in all; more is taken when needed. */
  constructor(rows: number, expected: number) {
    this.#offsets = new Uint32Array(rows + 1);
    this.#data = new Uint8Array(expected);
  }

  /** Rows that were ended. */
  get rows(): number {
    return this.#rows;
  }

  /** Bytes gathered so far. */
  get length(): number {
    return this.#length;
  }

  /** Appends `source[start..end)` to the current row. */
  append(source: Uint8Array, start: number, end: number): void {
    const data = this.#room(end - start);
    let to = this.#length;
    if (end - start >= NATIVE_COPY) {
      data.set(source.subarray(start, end), to);
      to += end - start;
    } else {
      for (let from = start; from < end; from++) data[to++] = source[from] as number;
    }
    this.#length = to;
  }

  /** Appends `source[start..end)` up to its first NUL, and ends the row. */
  appendTextRow(source: Uint8Array, start: number, end: number): void {
    const near = Math.min(end, start + NATIVE_COPY);
    const data = this.#room(near - start);
    let to = this.#length;
    let from = start;
    while (from < near) {
      const byte = source[from] as number;
      if (byte === 0) break;
      data[to++] = byte;
      from++;
    }
    this.#length = to;
    if (from === near && near < end) {
      let stop = near;
      while (stop < end && source[stop] !== 0) stop++;
      this.append(source, near, stop);
    }
    this.endRow();
  }

  /** Appends one byte to the current row. */
  appendByte(byte: number): void {
    this.#room(1)[this.#length++] = byte;
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

  #room(bytes: number): Uint8Array {
    const needed = this.#length + bytes;
    if (needed > this.#data.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#data.length, 256));
      larger.set(this.#data.subarray(0, this.#length));
      this.#data = larger;
    }
    return this.#data;
  }
}
