// SPDX-License-Identifier: Apache-2.0

import type { ScalarVector, Vector } from "@skep/ebpf";
import { addressesBetween, LITTLE_ENDIAN } from "../cells/address-text.ts";
import { textBetween, textsBetween } from "../cells/cell-text.ts";
import { cellEnd, cellStart, isNullCell } from "../cells/cell-value.ts";
import { wholeMicroseconds } from "../cells/time-text.ts";
import type { ColumnBatch } from "../column-batch.ts";
import { RowValueError } from "../errors.ts";
import { PatternMatcher } from "./pattern-matcher.ts";
import { type Comparison, isListType, type Where, type WhereColumn, type WhereValue } from "./where-ast.ts";

/** Whether a row of a batch passes a filter. */
export type RowPredicate = (batch: ColumnBatch, row: number) => boolean;

/** A test over the rows of the batch that it was bound to. */
type RowTest = (row: number) => boolean;

/** Below, at or above zero, as the cell is below, at or above the literal. */
type RowOrder = (row: number) => number;

/**
 * Compiles a filter into a function. It selects the rows that {@link compileSql} selects once they are stored.
 * Columns are found by name, once a batch, so a batch with an older or newer schema will do; one that it lacks has
 * no values. Scalar columns are compared in place: nothing is allocated a row.
 */
export function compilePredicate(where: Where): RowPredicate {
  const bind = binder(where);
  let bound: ColumnBatch | undefined;
  let test: RowTest = () => false;
  return (batch, row) => {
    if (batch !== bound) {
      test = bind(batch);
      bound = batch;
    }
    return test(row);
  };
}

/** What can be prepared once for all batches is; the rest is done by the function returned. */
function binder(where: Where): (batch: ColumnBatch) => RowTest {
  switch (where.kind) {
    case "all":
      return () => () => true;
    case "and":
    case "or": {
      const binders = where.terms.map(binder);
      const decisive = where.kind === "or";
      return (batch) => {
        const tests = binders.map((bind) => bind(batch));
        return (row) => {
          for (const test of tests) if (test(row) === decisive) return decisive;
          return !decisive;
        };
      };
    }
    case "not": {
      const bind = binder(where.term);
      return (batch) => {
        const test = bind(batch);
        return (row) => !test(row);
      };
    }
    case "null":
      return (batch) => {
        const isNull = nullTest(batch, where.column);
        return isNull ?? (() => true);
      };
    case "contains":
      return (batch) => textTest(batch, where.column, (text) => text.includes(where.text), false);
    case "match": {
      const matcher = new PatternMatcher(where.pattern);
      return (batch) => textTest(batch, where.column, (text) => matcher.test(text), where.negated);
    }
    case "in":
      return (batch) => {
        const tests = where.values.map((value) => compareTest(batch, where.column, "=", value));
        return (row) => tests.some((test) => test(row));
      };
    case "compare":
      return (batch) => compareTest(batch, where.column, where.operator, where.value);
  }
}

/** Whether a row has no value; undefined when the batch lacks the column. */
function nullTest(batch: ColumnBatch, column: WhereColumn): RowTest | undefined {
  if (column.name === "time" || column.name === "node" || column.name === "workload") return () => false;
  const vector = vectorOf(batch, column);
  return vector && ((row) => isNullCell(column.type, vector, row));
}

function vectorOf(batch: ColumnBatch, column: WhereColumn): Vector | undefined {
  const index = batch.schema.columns.findIndex(({ name }) => name === column.name);
  const found = batch.schema.columns[index];
  if (found !== undefined && found.type !== column.type) {
    throw new RowValueError(
      `stream "${batch.schema.name}", column "${column.name}": the filter was made for type ${column.type}, the batch has ${found.type}`,
    );
  }
  return batch.vectors[index];
}

/** A test of a text, or of any element of a list; false without a value, and then negated or not. */
function textTest(
  batch: ColumnBatch,
  column: WhereColumn,
  holds: (text: string) => boolean,
  negated: boolean,
): RowTest {
  if (column.name === "node" || column.name === "workload") {
    const result = holds(batch[column.name]) !== negated;
    return () => result;
  }
  const vector = vectorOf(batch, column);
  if (vector?.kind !== "bytes") return () => false;
  const { offsets, data } = vector;
  const elements = column.type === "texts" ? textsBetween : addressesBetween;
  return (row) => {
    if (vector.nulls?.[row] === 1) return false;
    const start = cellStart(offsets, row);
    const end = cellEnd(offsets, row);
    const found = isListType(column.type)
      ? elements(data, start, end).some(holds)
      : holds(textBetween(data, start, end));
    return found !== negated;
  };
}

function compareTest(batch: ColumnBatch, column: WhereColumn, operator: Comparison, value: WhereValue): RowTest {
  if (typeof value === "string") {
    const holds =
      isListType(column.type) || operator === "=" || operator === "!="
        ? (text: string) => text === value
        : (text: string) => orderHolds(operator, compareCodePoints(text, value));
    return textTest(batch, column, holds, operator === "!=");
  }
  if (column.name === "time") {
    const { time } = batch;
    const literal = Number(value);
    return (row) => orderHolds(operator, wholeMicroseconds(time[row] ?? 0) - literal);
  }
  const vector = vectorOf(batch, column);
  if (vector === undefined) return () => false;
  const order = value instanceof Uint8Array ? bytesOrder(vector, value) : scalarOrder(vector, column, value);
  return (row) => !isNullCell(column.type, vector, row) && orderHolds(operator, order(row));
}

function orderHolds(operator: Comparison, order: number): boolean {
  switch (operator) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

function bytesOrder(vector: Vector, value: Uint8Array): RowOrder {
  if (vector.kind !== "bytes") return () => 1;
  const { offsets, data } = vector;
  return (row) => {
    const start = cellStart(offsets, row);
    if (cellEnd(offsets, row) - start !== value.length) return 1;
    for (let at = 0; at < value.length; at++) if (data[start + at] !== value[at]) return 1;
    return 0;
  };
}

function scalarOrder(vector: Vector, column: WhereColumn, value: boolean | number | bigint): RowOrder {
  if (vector.kind !== "scalar") return () => 1;
  const { values } = vector;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return wordsOrder(values, BigInt(value));
  const literal = Number(value);
  if (column.type === "time") return (row) => wholeMicroseconds(values[row] ?? 0) - literal;
  if (column.type === "bool") return (row) => (values[row] === 0 ? 0 : 1) - literal;
  return (row) => {
    const cell = values[row] ?? 0;
    // PostgreSQL orders NaN above all numbers; a literal is never NaN.
    return cell < literal ? -1 : cell === literal ? 0 : 1;
  };
}

/** Compares 64-bit integers by their halves, because reading one as bigint allocates. */
function wordsOrder(values: ScalarVector["values"] & (BigInt64Array | BigUint64Array), literal: bigint): RowOrder {
  const isSigned = values instanceof BigInt64Array;
  const whole = isSigned ? BigInt.asIntN(64, literal) : BigInt.asUintN(64, literal);
  if (whole !== literal) return literal < 0n ? () => 1 : () => -1;
  const low = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const high = isSigned ? new Int32Array(values.buffer, values.byteOffset, values.length * 2) : low;
  const literalHigh = Number(literal >> 32n);
  const literalLow = Number(literal & 0xffffffffn);
  const highAt = LITTLE_ENDIAN ? 1 : 0;
  return (row) => {
    const difference = (high[2 * row + highAt] ?? 0) - literalHigh;
    return difference !== 0 ? difference : (low[2 * row + 1 - highAt] ?? 0) - literalLow;
  };
}

/** Orders by code points, as PostgreSQL's collation "C" does in UTF-8; `<` on strings orders by UTF-16 units. */
function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  let at = 0;
  while (at < length && left.charCodeAt(at) === right.charCodeAt(at)) at++;
  if (at === length) return left.length - right.length;
  return rank(left.charCodeAt(at)) - rank(right.charCodeAt(at));
}

/** Surrogates stand for characters above every other unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
