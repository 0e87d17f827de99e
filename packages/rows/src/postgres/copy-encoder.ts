// SPDX-License-Identifier: Apache-2.0

import type { Vector } from "@skep/ebpf";
import type { ColumnBatch } from "../column-batch.ts";
import type { RowSchema } from "../row-schema.ts";
import { type FieldWriter, fieldWriter } from "./copy-fields.ts";
import { writeTimestamp } from "./copy-scalars.ts";
import { storableVector } from "./storable-vector.ts";

/** Signature, flags and length of the header's extension ("COPY", binary format, in PostgreSQL's manual). */
export const COPY_HEADER: Uint8Array = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");

/** A field count of -1 ends the data. */
export const COPY_TRAILER: Uint8Array = Uint8Array.of(0xff, 0xff);

/** Rows are encoded in blocks of at most this many, and of about this many bytes, a buffer each. */
const BLOCK_ROWS = 2048;
const BLOCK_BYTES = 256 * 1024;

/** Where `time` stands in a row: after the field count and its own length. */
const TIME_AT = 6;

/**
 * Encodes batches of one stream into the binary format of COPY, columns `time`, `node`, `workload`, then those of
 * the schema. It works column by column: sizes of all rows of a block first, so that each row's place is known,
 * then each column's fields, in a loop that knows its type. No object is made a row.
 */
export class CopyEncoder {
  readonly #writers: readonly FieldWriter[];
  /** Where the next field of each row of the block goes. */
  readonly #cursors = new Uint32Array(BLOCK_ROWS);

  constructor(schema: RowSchema) {
    this.#writers = schema.columns.map(({ type }) => fieldWriter(type));
  }

  /** The batch's rows, without {@link COPY_HEADER} and {@link COPY_TRAILER}; each buffer is new and holds whole rows. */
  *encode(batch: ColumnBatch): Generator<Buffer, void, undefined> {
    const { schema } = batch;
    const prefix = rowPrefix(batch.node, batch.workload, this.#writers.length);
    const vectors = batch.vectors.map((vector, index) => {
      const type = schema.columns[index]?.type;
      return type === undefined ? vector : storableVector(type, vector, batch.length);
    });
    for (let from = 0; from < batch.length; ) {
      const count = this.#measure(vectors, prefix.length, from, Math.min(BLOCK_ROWS, batch.length - from));
      yield this.#encodeBlock(batch, vectors, prefix, from, count);
      from += count;
    }
  }

  /** Leaves each row's size in the cursors; returns how many rows make a block. */
  #measure(vectors: readonly Vector[], prefixLength: number, from: number, most: number): number {
    const sizes = this.#cursors;
    sizes.fill(prefixLength, 0, most);
    for (let index = 0; index < vectors.length; index++) {
      const vector = vectors[index];
      if (vector !== undefined) this.#writers[index]?.measure(vector, from, most, sizes);
    }
    let bytes = 0;
    let count = 0;
    while (count < most && bytes < BLOCK_BYTES) bytes += sizes[count++] ?? 0;
    return count;
  }

  #encodeBlock(batch: ColumnBatch, vectors: readonly Vector[], prefix: Buffer, from: number, count: number): Buffer {
    const cursors = this.#cursors;
    let total = 0;
    for (let row = 0; row < count; row++) {
      const size = cursors[row] ?? 0;
      cursors[row] = total;
      total += size;
    }
    const out = Buffer.allocUnsafeSlow(total);
    const view = new DataView(out.buffer, out.byteOffset, out.length);
    for (let row = 0; row < count; row++) {
      const at = cursors[row] ?? 0;
      for (let index = 0; index < prefix.length; index++) out[at + index] = prefix[index] ?? 0;
      writeTimestamp(view, at + TIME_AT, batch.time[from + row] ?? 0);
      cursors[row] = at + prefix.length;
    }
    for (let index = 0; index < vectors.length; index++) {
      const vector = vectors[index];
      if (vector !== undefined) this.#writers[index]?.write(vector, from, count, out, view, cursors);
    }
    return out;
  }
}

/** Field count, `time` (to be filled in), `node` and `workload`: the same for every row of a batch. */
function rowPrefix(node: string, workload: string, columns: number): Buffer {
  const texts = [node, workload].map((text) => Buffer.from(text.replaceAll("\0", "")));
  const length = TIME_AT + 8 + texts.reduce((sum, text) => sum + 4 + text.length, 0);
  const prefix = Buffer.alloc(length);
  prefix.writeInt16BE(3 + columns, 0);
  prefix.writeInt32BE(8, 2);
  let at = TIME_AT + 8;
  for (const text of texts) {
    prefix.writeInt32BE(text.length, at);
    text.copy(prefix, at + 4);
    at += 4 + text.length;
  }
  return prefix;
}
