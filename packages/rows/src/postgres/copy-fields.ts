// SPDX-License-Identifier: Apache-2.0

import type { BytesVector, ColumnType, ScalarVector, Vector } from "@skep/ebpf";
import { LITTLE_ENDIAN } from "../cells/address-text.ts";
import { textArrayBytes, writeInet, writeTextArray } from "./copy-lists.ts";
import { NUMERIC_BYTES, writeNumeric, writeTimestamp } from "./copy-scalars.ts";

/** A field of this length is null. */
const NULL_LENGTH = -1;

/** Bytes of a field's length. */
const LENGTH_BYTES = 4;

/** Pieces up to this long are copied byte by byte: a call into the engine costs more. */
const SHORT_COPY = 48;

/**
 * Encodes one column. `from` and `count` select rows; `cursors` holds one element a selected row: the row's size
 * while measuring, the place of its next field while writing.
 */
export interface FieldWriter {
  /** Adds each field's bytes, its length included, to the row's size. */
  measure(vector: Vector, from: number, count: number, sizes: Uint32Array): void;
  /** Writes each field at its row's cursor, and moves the cursor behind it. */
  write(vector: Vector, from: number, count: number, out: Buffer, view: DataView, cursors: Uint32Array): void;
}

/** The encoder of a column type. */
export function fieldWriter(type: ColumnType): FieldWriter {
  switch (type) {
    case "bool":
      return scalarWriter(1, (values: Uint8Array, row, view, at) => view.setUint8(at, values[row] === 0 ? 0 : 1));
    case "i16":
      return scalarWriter(2, (values: Int16Array, row, view, at) => view.setInt16(at, values[row] ?? 0));
    case "i32":
      return scalarWriter(4, (values: Int32Array, row, view, at) => view.setInt32(at, values[row] ?? 0));
    case "u32":
      return scalarWriter(8, (values: Uint32Array, row, view, at) => {
        view.setUint32(at, 0);
        view.setUint32(at + 4, values[row] ?? 0);
      });
    case "f64":
      return scalarWriter(8, (values: Float64Array, row, view, at) => view.setFloat64(at, values[row] ?? 0));
    case "time":
      return scalarWriter(8, (values: Float64Array, row, view, at) => writeTimestamp(view, at, values[row] ?? 0));
    case "i64":
      return scalarWriter(8, writeWords, wordsOf);
    case "u64":
      return scalarWriter(NUMERIC_BYTES, writeWordsAsNumeric, wordsOf);
    case "text":
    case "bytes":
      return bytesWriter((_data, start, end) => end - start, copyBytes);
    case "ip":
      return bytesWriter((_data, start, end) => end - start + 4, writeInet);
    case "texts":
    case "addresses":
      return bytesWriter(textArrayBytes, writeTextArray);
  }
}

type ScalarValues = ScalarVector["values"];

type WriteScalar<Values> = (values: Values, row: number, view: DataView, at: number) => void;

/** A column of values that all have `size` bytes on the wire. */
function scalarWriter<Values extends ScalarValues>(
  size: number,
  writeOne: WriteScalar<Values>,
  prepare: (values: ScalarValues) => Values = (values) => values as Values,
): FieldWriter {
  return {
    measure(vector, from, count, sizes) {
      const { nulls } = vector;
      for (let row = 0; row < count; row++) {
        sizes[row] = (sizes[row] ?? 0) + LENGTH_BYTES + (nulls?.[from + row] === 1 ? 0 : size);
      }
    },
    write(vector, from, count, _out, view, cursors) {
      if (vector.kind !== "scalar") return;
      const { nulls } = vector;
      const values = prepare(vector.values);
      for (let row = 0; row < count; row++) {
        const at = cursors[row] ?? 0;
        if (nulls?.[from + row] === 1) {
          view.setInt32(at, NULL_LENGTH);
          cursors[row] = at + LENGTH_BYTES;
        } else {
          view.setInt32(at, size);
          writeOne(values, from + row, view, at + LENGTH_BYTES);
          cursors[row] = at + LENGTH_BYTES + size;
        }
      }
    },
  };
}

type MeasureBytes = (data: Uint8Array, start: number, end: number) => number;

type WriteBytes = (data: Uint8Array, start: number, end: number, out: Buffer, view: DataView, at: number) => void;

/** A column of byte strings; `measureOne` tells a value's bytes on the wire. */
function bytesWriter(measureOne: MeasureBytes, writeOne: WriteBytes): FieldWriter {
  const isNull = (vector: BytesVector, row: number) => vector.nulls?.[row] === 1;
  return {
    measure(vector, from, count, sizes) {
      if (vector.kind !== "bytes") return;
      const { data, offsets } = vector;
      for (let row = 0; row < count; row++) {
        const size = isNull(vector, from + row)
          ? 0
          : measureOne(data, offsets[from + row] ?? 0, offsets[from + row + 1] ?? 0);
        sizes[row] = (sizes[row] ?? 0) + LENGTH_BYTES + size;
      }
    },
    write(vector, from, count, out, view, cursors) {
      if (vector.kind !== "bytes") return;
      const { data, offsets } = vector;
      for (let row = 0; row < count; row++) {
        const at = cursors[row] ?? 0;
        if (isNull(vector, from + row)) {
          view.setInt32(at, NULL_LENGTH);
          cursors[row] = at + LENGTH_BYTES;
          continue;
        }
        const start = offsets[from + row] ?? 0;
        const end = offsets[from + row + 1] ?? 0;
        const size = measureOne(data, start, end);
        view.setInt32(at, size);
        writeOne(data, start, end, out, view, at + LENGTH_BYTES);
        cursors[row] = at + LENGTH_BYTES + size;
      }
    },
  };
}

/** Copies `data[start .. end)`. */
function copyBytes(data: Uint8Array, start: number, end: number, out: Buffer, _view: DataView, at: number): void {
  if (end - start > SHORT_COPY) {
    out.set(data.subarray(start, end), at);
    return;
  }
  for (let index = start, to = at; index < end; index++, to++) out[to] = data[index] ?? 0;
}

/** The 32-bit halves of 64-bit integers: reading one as bigint allocates. */
function wordsOf(values: ScalarValues): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4);
}

const HIGH = LITTLE_ENDIAN ? 1 : 0;

function writeWords(words: Uint32Array, row: number, view: DataView, at: number): void {
  view.setUint32(at, words[2 * row + HIGH] ?? 0);
  view.setUint32(at + 4, words[2 * row + 1 - HIGH] ?? 0);
}

function writeWordsAsNumeric(words: Uint32Array, row: number, view: DataView, at: number): void {
  writeNumeric(view, at, words[2 * row + HIGH] ?? 0, words[2 * row + 1 - HIGH] ?? 0);
}
