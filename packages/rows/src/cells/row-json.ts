// SPDX-License-Identifier: Apache-2.0

import type { ColumnType, Vector } from "@skep/ebpf";
import type { ColumnBatch } from "../column-batch.ts";
import type { RowSchema } from "../row-schema.ts";
import { textBetween, textEnd } from "./cell-text.ts";
import { type CellValue, cellEnd, cellStart, cellValue, isNullCell, type RowObject } from "./cell-value.ts";
import { formatTime } from "./time-text.ts";

/** Texts up to this many bytes are quoted byte by byte; longer ones by the engine's own routines. */
const SHORT_TEXT = 64;

/** Each byte that stands for itself inside a JSON string, as text; empty for those that do not. */
const PLAIN: readonly string[] = Array.from({ length: 256 }, (_, code) =>
  code >= 0x20 && code < 0x7f && code !== 0x22 && code !== 0x5c ? String.fromCharCode(code) : "",
);

/** `,"name":` for each column of a schema. */
const keysOf = new WeakMap<RowSchema, readonly string[]>();

/**
 * One row as a JSON object on one line, without the newline: `time` (RFC 3339, microseconds, UTC), `node`,
 * `workload`, then the columns. 64-bit integers are exact integer literals, beyond what a JavaScript number holds;
 * numbers that JSON lacks (NaN, infinities) are null.
 */
export function encodeJsonRow(batch: ColumnBatch, row: number): string {
  const keys = schemaKeys(batch.schema);
  let json = `{"time":"${formatTime(batch.time[row] ?? 0)}","node":${JSON.stringify(batch.node)},"workload":${JSON.stringify(batch.workload)}`;
  const { columns } = batch.schema;
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index];
    const vector = batch.vectors[index];
    if (column === undefined || vector === undefined) continue;
    json += `${keys[index]}${jsonOfCell(column.type, vector, row)}`;
  }
  return `${json}}`;
}

/** One row as an object; see {@link CellValue} for how each type is shown. */
export function rowObject(batch: ColumnBatch, row: number): RowObject {
  const object: Record<string, CellValue> = {
    time: formatTime(batch.time[row] ?? 0),
    node: batch.node,
    workload: batch.workload,
  };
  batch.schema.columns.forEach(({ name, type }, index) => {
    const vector = batch.vectors[index];
    if (vector !== undefined) object[name] = cellValue(type, vector, row);
  });
  return object;
}

/** The line that {@link encodeJsonRow} writes, from an object: what `JSON.stringify` would, but for 64-bit integers. */
export function encodeJsonObject(row: RowObject): string {
  const members = Object.entries(row).map(([name, value]) => `${JSON.stringify(name)}:${jsonOfValue(value)}`);
  return `{${members.join(",")}}`;
}

function schemaKeys(schema: RowSchema): readonly string[] {
  let keys = keysOf.get(schema);
  if (keys === undefined) {
    keys = schema.columns.map(({ name }) => `,${JSON.stringify(name)}:`);
    keysOf.set(schema, keys);
  }
  return keys;
}

function jsonOfCell(type: ColumnType, vector: Vector, row: number): string {
  if (isNullCell(type, vector, row)) return "null";
  if (vector.kind === "bytes") {
    const start = cellStart(vector.offsets, row);
    const end = cellEnd(vector.offsets, row);
    if (type === "text") return quote(vector.data, start, end);
    if (type === "texts") return quoteList(vector.data, start, end);
  }
  return jsonOfValue(cellValue(type, vector, row));
}

function jsonOfValue(value: CellValue): string {
  if (typeof value === "bigint") return value.toString();
  return JSON.stringify(value);
}

function quote(data: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT_TEXT) return JSON.stringify(textBetween(data, start, end));
  let json = '"';
  for (let at = start; at < end; at++) {
    const character = PLAIN[data[at] ?? 0];
    if (character === "" || character === undefined) return JSON.stringify(textBetween(data, start, end));
    json += character;
  }
  return `${json}"`;
}

function quoteList(data: Uint8Array, start: number, end: number): string {
  let json = "[";
  for (let at = start; at < end; ) {
    const next = textEnd(data, at, end);
    json += at === start ? quote(data, at, next) : `,${quote(data, at, next)}`;
    at = next + 1;
  }
  return `${json}]`;
}
