// SPDX-License-Identifier: Apache-2.0

import type { WireColumn, WireStream } from "../../src/wire.ts";
import { nanoseconds, shellLine } from "./format.ts";
import { clock, microseconds, timestamp } from "./time.ts";

/** One row, as the table keeps it. */
export interface Row {
  /** Grows with every row that this page took in; older rows from the store count down from 0. */
  readonly id: number;
  /** The JSON that came. */
  readonly line: string;
  readonly values: Readonly<Record<string, unknown>>;
}

type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Reads a row. Integers that a JavaScript number cannot hold become bigints, exactly as they were written. */
export function parseRow(line: string, id: number): Row {
  // A reviver is slow, and only long literals need it.
  const values = (/\d{16}/.test(line) ? JSON.parse(line, exact as never) : JSON.parse(line)) as Record<string, unknown>;
  return { id, line, values };
}

const exact: Reviver = (_key, value, { source }) =>
  typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined && /^-?\d+$/.test(source)
    ? BigInt(source)
    : value;

/** A stream's columns as rows have them: the three that every row has, then its own. */
export function columnsOf(stream: WireStream): WireColumn[] {
  return [
    { name: "time", type: "time", description: "When it happened." },
    ...stream.schema.columns,
    { name: "node", type: "text", description: "The machine that saw it." },
    { name: "workload", type: "text", description: "The workload that saw it." },
  ];
}

/** The value in one line, as the table shows it. */
export function cellText(column: WireColumn, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (column.type === "time") {
    const us = microseconds(value);
    return us === undefined ? String(value) : clock(us);
  }
  if (Array.isArray(value)) return shellLine(value);
  if (isDuration(column) && typeof value === "number") return nanoseconds(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The whole value, exactly. */
export function fullText(column: WireColumn, value: unknown): string {
  if (value === null || value === undefined) return "no value";
  if (column.type === "time") {
    const us = microseconds(value);
    return us === undefined ? String(value) : timestamp(us);
  }
  if (isDuration(column) && typeof value === "number") return `${value.toLocaleString("en-US")} ns`;
  return cellText(column, value);
}

/** Whether a column's values are set flush right. */
export function isNumeric({ type }: WireColumn): boolean {
  return ["i16", "i32", "u32", "i64", "u64", "f64"].includes(type);
}

/** A filter for rows with this value; undefined where the language has none. */
export function filterFor(column: WireColumn, value: unknown): string | undefined {
  if (column.type === "text" && typeof value === "string") return `${column.name} = ${quoted(value)}`;
  const literal = ["string", "number", "bigint", "boolean"].includes(typeof value);
  // A time is never met again, and bytes come in an encoding that the filter does not know.
  return literal && column.type !== "time" && column.type !== "bytes" ? `${column.name} = ${value}` : undefined;
}

/** Narrows a filter further. */
export function both(left: string, right: string): string {
  if (left.trim() === "") return right;
  return /\bor\b/i.test(left) ? `(${left}) and ${right}` : `${left} and ${right}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

function isDuration({ name, type, description }: WireColumn): boolean {
  if (type !== "u64" && type !== "i64") return false;
  return name.endsWith("_ns") || (name.includes("duration") && /nanosecond|\bns\b/i.test(description ?? ""));
}
