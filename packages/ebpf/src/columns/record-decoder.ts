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
    view: new DataView(new ArrayBuffer(0)),
    bytes: new Uint8Array(),
    starts: new Uint32Array(),
    ends: new Uint32Array(),
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

  /** Notes where the batch's sound records lie. */
  #take(batch: RecordBatch): Records {
    const records = this.#records;
    const { bytes, offsets, lengths, count } = batch;
    if (records.view.buffer !== bytes.buffer || records.view.byteLength !== bytes.buffer.byteLength) {
      records.view = new DataView(bytes.buffer);
      records.bytes = new Uint8Array(bytes.buffer);
    }
    if (records.starts.length < count) {
      records.starts = new Uint32Array(count);
      records.ends = new Uint32Array(count);
    }
    const { starts, ends } = records;
    const base = bytes.byteOffset;
    let sound = 0;
    for (let i = 0; i < count; i++) {
      const start = offsets[i] as number;
      const length = lengths[i] as number;
      if (length < this.minimumSize || start + length > bytes.length) continue;
      starts[sound] = base + start;
      ends[sound] = base + start + length;
      sound++;
    }
    records.count = sound;
    return records;
  }
}

/** Bytes that every record needs: all columns but those of a last field that may be cut short. */
function fixedSize(layouts: readonly ColumnLayout[]): number {
  const last = layouts.reduce((offset, layout) => Math.max(offset, layout.offset), 0);
  const fixed = layouts.filter(({ offset, encoding }) => offset < last || !mayBeCut.has(encoding));
  return fixed.reduce((size, layout) => Math.max(size, layout.offset + layout.size), 0);
}

const mayBeCut: ReadonlySet<ColumnEncoding> = new Set(["cstring", "cstrings", "bytes", "stack"]);
