// SPDX-License-Identifier: Apache-2.0

import type { ColumnType } from "@skep/ebpf";
import type { ColumnBatch } from "./column-batch.ts";
import { RowSchemaError, RowValueError } from "./errors.ts";
import type { RowSchema } from "./row-schema.ts";

/** Columns that every stored row has before those of its schema. */
export const BUILT_IN_COLUMNS: readonly string[] = ["time", "node", "workload"];

/** PostgreSQL takes 1600 columns, but a row of fixed-size values must fit a page of 8 KiB. */
const MAX_COLUMNS = 250;

/** Tables of Skep's own in the schema where each stream has a table of its name. */
const RESERVED_STREAMS = ["streams", "chunks", "progress"];

/** What a vector of each type keeps its values in; the byte-string types share `BytesVector`. */
const ARRAYS: Readonly<Partial<Record<ColumnType, new (length: number) => ArrayBufferView>>> = {
  bool: Uint8Array,
  i16: Int16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  f64: Float64Array,
  time: Float64Array,
};

/**
 * Checks what {@link RowSchema} promises: names that are SQL identifiers as they stand, no duplicates, none of the
 * built-in columns.
 *
 * @throws {@link RowSchemaError} naming the stream and the column
 */
export function checkSchema(schema: RowSchema): void {
  if (!/^[a-z_][a-z0-9_]{0,47}$/.test(schema.name)) {
    throw new RowSchemaError(
      `stream "${schema.name}": a name is up to 48 lower-case letters, digits and underscores, not starting with a digit`,
    );
  }
  if (RESERVED_STREAMS.includes(schema.name)) {
    throw new RowSchemaError(`stream "${schema.name}": the names ${RESERVED_STREAMS.join(", ")} are reserved`);
  }
  if (schema.columns.length > MAX_COLUMNS) {
    throw new RowSchemaError(
      `stream "${schema.name}" has ${schema.columns.length} columns; ${MAX_COLUMNS} are allowed`,
    );
  }
  const seen = new Set(BUILT_IN_COLUMNS);
  for (const { name } of schema.columns) {
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) {
      throw new RowSchemaError(
        `stream "${schema.name}": column "${name}": a name is up to 63 lower-case letters, digits and underscores, not starting with a digit`,
      );
    }
    if (seen.has(name)) {
      const why = BUILT_IN_COLUMNS.includes(name) ? "every row has this column already" : "there are two of this name";
      throw new RowSchemaError(`stream "${schema.name}": column "${name}": ${why}`);
    }
    seen.add(name);
  }
}

/**
 * Checks that a batch has the vectors that its schema asks for, each long enough for its rows. Constant time per
 * column; the offsets inside byte-string vectors are the producer's word.
 *
 * @throws {@link RowValueError} naming the stream and the column
 */
export function checkBatch(batch: ColumnBatch): void {
  const { schema, length, vectors } = batch;
  if (vectors.length !== schema.columns.length || batch.time.length < length) {
    throw new RowValueError(
      `stream "${schema.name}": a batch of ${length} rows has ${vectors.length} vectors and ${batch.time.length} times; ` +
        `the schema has ${schema.columns.length} columns`,
    );
  }
  schema.columns.forEach((column, index) => {
    const vector = vectors[index];
    const array = ARRAYS[column.type];
    const fits =
      vector !== undefined &&
      (vector.nulls === undefined || vector.nulls.length >= length) &&
      (vector.kind === "scalar"
        ? array !== undefined && vector.values instanceof array && vector.values.length >= length
        : array === undefined && vector.offsets.length > length && (vector.offsets[length] ?? 0) <= vector.data.length);
    if (!fits) {
      throw new RowValueError(
        `stream "${schema.name}", column "${column.name}": the vector does not hold ${length} values of type ${column.type}`,
      );
    }
  });
}
