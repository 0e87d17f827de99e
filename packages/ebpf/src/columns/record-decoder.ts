// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "../errors.ts";
import type { RecordBatch } from "../record-batch.ts";
import type { Vector } from "../vector.ts";
import { columnDecoder } from "./column-decoder.ts";
import type { ColumnEncoding, ColumnLayout } from "./column-layout.ts";
import type { ColumnDecoder, Records } from "./records.ts";

/** What a record looks like beside its columns. */
export interface RecordDecoderOptions {
  /** Bytes of a whole record: the size of its struct. */
  readonly recordSize: number;
  /** Byte order of the program that wrote the records; little-endian unless given. */
  readonly byteOrder?: "little" | "big";
  /** Shorter records are malformed; at least what the fixed columns need, which is the default. */
  readonly minimumSize?: number;
}

/** A batch of records as columns. New arrays each time: it may be kept and shared. */
export interface DecodedBatch {
  /** Rows: the records that were not malformed. */
  readonly length: number;
  /** Records that were too short, or lay outside of the batch's bytes. They have no row. */
  readonly malformed: number;
  /** One a layout, in their order. */
  readonly vectors: readonly Vector[];
  /** The first column of type `time`: microseconds since 1970. Undefined when there is none. */
  readonly time: Float64Array | undefined;
}

/**
 * Decodes batches of records into columns, one column after another: each is one loop over one kind of value, and
 * nothing is allocated a record or a field.
 *
 * A last column of text, texts, bytes or a stack may be cut short by its record's length: records of variable
 * length send only what they filled. All columns before it are fixed.
 */
export class RecordDecoder {
  /** Records shorter than this many bytes are malformed. */
  readonly minimumSize: number;
  readonly #decoders: readonly ColumnDecoder[];
  readonly #timeColumn: number;
  readonly #records: Records = {
    count: 0,
    bytes: new Uint8Array(),
    view: new DataView(new ArrayBuffer(0)),
    halves: new Uint16Array(),
    words: new Uint32Array(),
    aligned: true,
    starts: new Uint32Array(),
    lengths: new Uint32Array(),
    offsetMicroseconds: 0,
    offsetRest: 0,
  };

  /** Throws InvalidValueError for a layout that does not fit into the record. */
  constructor(layouts: readonly ColumnLayout[], options: RecordDecoderOptions) {
    for (const { name, offset, size } of layouts) {
      if (!(offset >= 0 && size > 0 && offset + size <= options.recordSize)) {
        throw new InvalidValueError(
          `column "${name}": bytes ${offset} to ${offset + size} are not within a record of ${options.recordSize} bytes`,
        );
      }
    }
    this.minimumSize = Math.max(options.minimumSize ?? 0, fixedSize(layouts));
    const little = options.byteOrder !== "big";
    this.#decoders = layouts.map((layout) => columnDecoder(layout, little));
    this.#timeColumn = layouts.findIndex((layout) => layout.encoding === "ktime");
  }

  /** Decodes a batch; `clockOffset` is {@link Engine.clockOffset}: what makes wall clock of the engine's clock, in ns. */
  decode(batch: RecordBatch, clockOffset: bigint): DecodedBatch {
    const records = this.#take(batch);
    const offsetRest = ((clockOffset % 1000n) + 1000n) % 1000n;
    records.offsetRest = Number(offsetRest);
    records.offsetMicroseconds = Number((clockOffset - offsetRest) / 1000n);
    const vectors = this.#decoders.map((decode) => decode(records));
    const time = vectors[this.#timeColumn];
    return {
      length: records.count,
      malformed: batch.count - records.count,
      vectors,
      time: time?.kind === "scalar" && time.values instanceof Float64Array ? time.values : undefined,
    };
  }

  /** Notes where the batch's sound records lie: usually all of them, and then nothing is copied. */
  #take(batch: RecordBatch): Records {
    const records = this.#records;
    const { bytes, offsets, lengths, count } = batch;
    if (records.bytes !== bytes) showBytes(records, bytes);
    let shortest = Number.MAX_SAFE_INTEGER;
    let end = 0;
    let bits = bytes.byteOffset;
    for (let i = 0; i < count; i++) {
      const start = offsets[i] as number;
      const length = lengths[i] as number;
      if (length < shortest) shortest = length;
      if (start + length > end) end = start + length;
      bits |= start;
    }
    records.aligned = (bits & 7) === 0;
    records.count = count;
    records.starts = offsets;
    records.lengths = lengths;
    if (shortest < this.minimumSize || end > bytes.length) this.#leaveOutMalformed(batch);
    return records;
  }

  #leaveOutMalformed({ bytes, offsets, lengths, count }: RecordBatch): void {
    const records = this.#records;
    const starts = new Uint32Array(count);
    const soundLengths = new Uint32Array(count);
    let sound = 0;
    for (let i = 0; i < count; i++) {
      const start = offsets[i] as number;
      const length = lengths[i] as number;
      if (length < this.minimumSize || start + length > bytes.length) continue;
      starts[sound] = start;
      soundLengths[sound] = length;
      sound++;
    }
    records.count = sound;
    records.starts = starts;
    records.lengths = soundLengths;
  }
}

function showBytes(records: Records, bytes: Uint8Array): void {
  const { buffer, byteOffset, length } = bytes;
  const aligned = byteOffset % 8 === 0;
  records.bytes = bytes;
  records.view = new DataView(buffer, byteOffset, length);
  records.halves = aligned ? new Uint16Array(buffer, byteOffset, length >> 1) : new Uint16Array();
  records.words = aligned ? new Uint32Array(buffer, byteOffset, length >> 2) : new Uint32Array();
}

/** Bytes that every record needs: all columns but those of a last field that may be cut short. */
function fixedSize(layouts: readonly ColumnLayout[]): number {
  const last = layouts.reduce((offset, layout) => Math.max(offset, layout.offset), 0);
  const fixed = layouts.filter(({ offset, encoding }) => offset < last || !mayBeCut.has(encoding));
  return fixed.reduce((size, layout) => Math.max(size, layout.offset + layout.size), 0);
}

const mayBeCut: ReadonlySet<ColumnEncoding> = new Set(["cstring", "cstrings", "bytes", "stack"]);
