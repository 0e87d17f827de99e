// SPDX-License-Identifier: Apache-2.0

import type { ColumnType, Vector } from "@skep/ebpf";
import { addressesBetween } from "./address-text.ts";
import { bufferOver, textBetween, textsBetween } from "./cell-text.ts";
import { formatIp } from "./ip-text.ts";
import { formatTime } from "./time-text.ts";

/**
 * A cell as people and JSON get it: 64-bit integers as bigint, times as RFC 3339 text, addresses of either kind as
 * text, bytes as base64, lists as arrays.
 */
export type CellValue = null | boolean | number | bigint | string | readonly string[];

/** A row as people and JSON get it: `time`, `node`, `workload`, then the columns of its stream. */
export type RowObject = Readonly<Record<string, CellValue>>;

/**
 * Whether a row has no value in a column: it is marked so, or it holds what its type cannot mean (a time that is
 * not a number, an address that is not 4 or 16 bytes long).
 */
export function isNullCell(type: ColumnType, vector: Vector, row: number): boolean {
  if (vector.nulls?.[row] === 1) return true;
  if (vector.kind === "scalar") return type === "time" && Number.isNaN(vector.values[row]);
  if (type !== "ip") return false;
  const length = cellEnd(vector.offsets, row) - cellStart(vector.offsets, row);
  return length !== 4 && length !== 16;
}

/** The value of one cell; an object a call for lists, none for the rest. */
export function cellValue(type: ColumnType, vector: Vector, row: number): CellValue {
  if (isNullCell(type, vector, row)) return null;
  if (vector.kind === "scalar") {
    const value = vector.values[row] ?? null;
    if (type === "bool") return value !== 0;
    return type === "time" ? formatTime(Number(value)) : value;
  }
  const start = cellStart(vector.offsets, row);
  const end = cellEnd(vector.offsets, row);
  switch (type) {
    case "texts":
      return textsBetween(vector.data, start, end);
    case "addresses":
      return addressesBetween(vector.data, start, end);
    case "ip":
      return formatIp(vector.data, start, end) ?? null;
    case "bytes":
      return bufferOver(vector.data).toString("base64", start, end);
    default:
      return textBetween(vector.data, start, end);
  }
}

/** First byte of a cell; past the end of the vector it is 0, so that the cell is empty. */
export function cellStart(offsets: Uint32Array, row: number): number {
  return offsets[row] ?? 0;
}

/** First byte after a cell. */
export function cellEnd(offsets: Uint32Array, row: number): number {
  return offsets[row + 1] ?? 0;
}
