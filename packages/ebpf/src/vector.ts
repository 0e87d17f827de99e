// SPDX-License-Identifier: Apache-2.0

/**
 * What a column holds.
 *
 * | type | vector | meaning |
 * |---|---|---|
 * | `bool` | `Uint8Array` | 0 or 1 |
 * | `i16` | `Int16Array` | 8- and 16-bit integers, signed or not, that fit |
 * | `i32` | `Int32Array` | u16 and i32 |
 * | `u32` | `Uint32Array` | u32 |
 * | `i64` | `BigInt64Array` | i64 |
 * | `u64` | `BigUint64Array` | u64, the whole range |
 * | `f64` | `Float64Array` | floating point |
 * | `time` | `Float64Array` | wall clock, microseconds since 1970 (exact until the year 2255) |
 * | `text` | {@link BytesVector} | UTF-8; bytes that are not UTF-8 are shown as U+FFFD |
 * | `texts` | {@link BytesVector} | a list of texts; in a cell each text ends with NUL |
 * | `bytes` | {@link BytesVector} | raw bytes |
 * | `ip` | {@link BytesVector} | 4 or 16 bytes in network order |
 * | `addresses` | {@link BytesVector} | a stack: 64-bit instruction pointers, host order |
 */
export type ColumnType =
  | "bool"
  | "i16"
  | "i32"
  | "u32"
  | "i64"
  | "u64"
  | "f64"
  | "time"
  | "text"
  | "texts"
  | "bytes"
  | "ip"
  | "addresses";

/** A column of fixed-size values, one element a row. */
export interface ScalarVector {
  readonly kind: "scalar";
  /** The values; longer than the batch when the producer over-allocated. */
  readonly values: Uint8Array | Int16Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array | Float64Array;
  /** 1 where the row has no value; absent when every row has one. */
  readonly nulls?: Uint8Array;
}

/** A column of byte strings: row `i` is `data[offsets[i] .. offsets[i + 1])`. */
export interface BytesVector {
  readonly kind: "bytes";
  /** One more than there are rows. */
  readonly offsets: Uint32Array;
  readonly data: Uint8Array;
  /** 1 where the row has no value; absent when every row has one. */
  readonly nulls?: Uint8Array;
}

/** The values of one column over the rows of a batch. */
export type Vector = ScalarVector | BytesVector;
