// SPDX-License-Identifier: Apache-2.0

import type { BytesVector, ColumnType, ScalarVector, Vector } from "@skep/ebpf";
import { LITTLE_ENDIAN } from "./cells/address-text.ts";
import { parseIp } from "./cells/ip-text.ts";
import { parseTime } from "./cells/time-text.ts";
import { BUILT_IN_COLUMNS } from "./check-schema.ts";
import type { ColumnBatch } from "./column-batch.ts";
import { RowValueError } from "./errors.ts";
import type { Column, RowSchema } from "./row-schema.ts";

/** Whose rows they are. */
export interface RowOrigin {
  readonly node: string;
  readonly workload: string;
}

/**
 * Makes a batch of objects: for services that see few rows, and for tests. A member that is missing, undefined or
 * null is no value; a row without `time` happened now.
 *
 * | column | takes |
 * |---|---|
 * | `bool` | boolean |
 * | `i16` `i32` `u32` `i64` `u64` | number or bigint that is whole and in range |
 * | `f64` | number |
 * | `time` | Date, microseconds since 1970, RFC 3339 text |
 * | `text` | string |
 * | `texts` | array of strings without NUL |
 * | `bytes` | Uint8Array |
 * | `ip` | text, or 4 or 16 bytes |
 * | `addresses` | array of bigint |
 *
 * @throws {@link RowValueError} naming the row, the column, what was found and what was wanted
 */
export function batchOf(schema: RowSchema, origin: RowOrigin, rows: readonly object[]): ColumnBatch {
  const known = new Set([...BUILT_IN_COLUMNS, ...schema.columns.map(({ name }) => name)]);
  const now = Date.now() * 1000;
  const time = new Float64Array(rows.length);
  rows.forEach((row, index) => {
    const unknown = Object.keys(row).find((name) => !known.has(name));
    if (unknown !== undefined) {
      throw new RowValueError(
        `stream "${schema.name}", row ${index}: no column "${unknown}"; there are ${[...known].join(", ")}`,
      );
    }
    const value = member(row, "time");
    time[index] = value == null ? now : timeOf(value, () => refusal(schema, "time", "time", index, value));
  });
  const vectors = schema.columns.map((column) =>
    column.type in SCALARS ? scalarVector(schema, column, rows) : bytesVector(schema, column, rows),
  );
  return { schema, node: origin.node, workload: origin.workload, length: rows.length, time, vectors };
}

/** Arrays and ranges of the scalar types. */
const SCALARS: Readonly<
  Partial<Record<ColumnType, { array: (length: number) => ScalarVector["values"]; range?: readonly [bigint, bigint] }>>
> = {
  bool: { array: (length) => new Uint8Array(length) },
  i16: { array: (length) => new Int16Array(length), range: [-(2n ** 15n), 2n ** 15n - 1n] },
  i32: { array: (length) => new Int32Array(length), range: [-(2n ** 31n), 2n ** 31n - 1n] },
  u32: { array: (length) => new Uint32Array(length), range: [0n, 2n ** 32n - 1n] },
  i64: { array: (length) => new BigInt64Array(length), range: [-(2n ** 63n), 2n ** 63n - 1n] },
  u64: { array: (length) => new BigUint64Array(length), range: [0n, 2n ** 64n - 1n] },
  f64: { array: (length) => new Float64Array(length) },
  time: { array: (length) => new Float64Array(length) },
};

const WANTED: Readonly<Record<ColumnType, string>> = {
  bool: "true or false",
  i16: "a whole number from -32768 to 32767",
  i32: "a whole number of 32 bits",
  u32: "a whole number from 0 to 4294967295",
  i64: "a whole number of 64 bits",
  u64: "a whole number from 0 to 18446744073709551615",
  f64: "a number",
  time: "a Date, microseconds since 1970 or RFC 3339 text",
  text: "a string",
  texts: "an array of strings without NUL",
  bytes: "a Uint8Array",
  ip: "an address as text, or 4 or 16 bytes",
  addresses: "an array of bigints from 0 to 2^64 - 1",
};

function scalarVector(schema: RowSchema, column: Column, rows: readonly object[]): Vector {
  const scalar = SCALARS[column.type];
  if (scalar === undefined) throw new RowValueError(`${column.type} is no scalar type`);
  const values = scalar.array(rows.length);
  const nulls = new NullMarks(rows.length);
  rows.forEach((row, index) => {
    const value = member(row, column.name);
    if (value == null) {
      nulls.mark(index);
      return;
    }
    const refuse = () => refusal(schema, column.name, column.type, index, value);
    if (values instanceof BigInt64Array || values instanceof BigUint64Array)
      values[index] = wholeOf(value, scalar.range, refuse);
    else if (column.type === "time") values[index] = timeOf(value, refuse);
    else if (scalar.range !== undefined) values[index] = Number(wholeOf(value, scalar.range, refuse));
    else if (typeof value === (column.type === "bool" ? "boolean" : "number")) values[index] = Number(value);
    else throw refuse();
  });
  return { kind: "scalar", values, ...nulls.found() };
}

function bytesVector(schema: RowSchema, column: Column, rows: readonly object[]): BytesVector {
  const nulls = new NullMarks(rows.length);
  const offsets = new Uint32Array(rows.length + 1);
  const cells: Uint8Array[] = [];
  let total = 0;
  rows.forEach((row, index) => {
    const value = member(row, column.name);
    if (value == null) {
      nulls.mark(index);
    } else {
      const cell = bytesOf(column.type, value);
      if (cell === undefined) throw refusal(schema, column.name, column.type, index, value);
      cells.push(cell);
      total += cell.length;
    }
    offsets[index + 1] = total;
  });
  return { kind: "bytes", offsets, data: Buffer.concat(cells, total), ...nulls.found() };
}

function bytesOf(type: ColumnType, value: unknown): Uint8Array | undefined {
  switch (type) {
    case "text":
      return typeof value === "string" ? Buffer.from(value) : undefined;
    case "texts":
      return isArrayOf(value, (item) => typeof item === "string" && !item.includes("\0"))
        ? Buffer.from(value.map((text) => `${text}\0`).join(""))
        : undefined;
    case "ip": {
      const bytes = typeof value === "string" ? parseIp(value) : value;
      return bytes instanceof Uint8Array && (bytes.length === 4 || bytes.length === 16) ? bytes : undefined;
    }
    case "addresses":
      return isArrayOf(value, (item) => typeof item === "bigint" && BigInt.asUintN(64, item) === item)
        ? addressBytes(value.map((address) => BigInt(address as bigint)))
        : undefined;
    default:
      return value instanceof Uint8Array ? value : undefined;
  }
}

function addressBytes(addresses: readonly bigint[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(addresses.length * 8));
  for (const [index, address] of addresses.entries()) view.setBigUint64(index * 8, address, LITTLE_ENDIAN);
  return new Uint8Array(view.buffer);
}

function isArrayOf(value: unknown, holds: (item: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.every(holds);
}

function wholeOf(value: unknown, range: readonly [bigint, bigint] | undefined, refuse: () => RowValueError): bigint {
  if (typeof value !== "bigint" && !Number.isInteger(value)) throw refuse();
  const whole = BigInt(value as bigint | number);
  if (range !== undefined && (whole < range[0] || whole > range[1])) throw refuse();
  return whole;
}

function timeOf(value: unknown, refuse: () => RowValueError): number {
  const micros = value instanceof Date ? value.getTime() * 1000 : typeof value === "string" ? parseTime(value) : value;
  if (typeof micros !== "number" || !Number.isFinite(micros)) throw refuse();
  return micros;
}

function member(row: object, name: string): unknown {
  return Object.hasOwn(row, name) ? (row as Readonly<Record<string, unknown>>)[name] : undefined;
}

function refusal(schema: RowSchema, column: string, type: ColumnType, row: number, value: unknown): RowValueError {
  const found =
    typeof value === "object" ? Object.prototype.toString.call(value).slice(8, -1) : `${typeof value} ${String(value)}`;
  return new RowValueError(
    `stream "${schema.name}", row ${row}, column "${column}": found ${found}, wanted ${WANTED[type]}`,
  );
}

/** Marks of rows without a value, made only when there is one. */
class NullMarks {
  readonly #length: number;
  #marks: Uint8Array | undefined;

  constructor(length: number) {
    this.#length = length;
  }

  mark(row: number): void {
    this.#marks ??= new Uint8Array(this.#length);
    this.#marks[row] = 1;
  }

  found(): { nulls?: Uint8Array } {
    return this.#marks === undefined ? {} : { nulls: this.#marks };
  }
}
