// SPDX-License-Identifier: Apache-2.0

import type { ColumnType } from "@skep/ebpf";
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type SqlBool,
  sql,
} from "kysely";
import type { CellValue } from "../cells/cell-value.ts";
import { formatIp, parseIp } from "../cells/ip-text.ts";
import { formatTime } from "../cells/time-text.ts";
import { RowValueError } from "../errors.ts";
import type { RowSchema } from "../row-schema.ts";
import { compileSql } from "../where/compile-sql.ts";
import { parseWhere, whereColumns } from "../where/parse-where.ts";
import type { Where } from "../where/where-ast.ts";
import type { TimeWindow } from "./time-windows.ts";

/** What a query of a stream asks for. */
export interface RowQuery {
  /** A filter, as text or parsed against the stream's schema; all rows when not given. */
  readonly where?: string | Where;
  /** The most rows that are wanted. */
  readonly limit?: number;
  /** Only rows that happened before: microseconds since 1970. */
  readonly before?: number;
  /** By time, newest first; oldest first when not given. */
  readonly newestFirst?: boolean;
  /** Names of columns, in this order; all of them when not given. */
  readonly columns?: readonly string[];
  /** Ends the query, also the statement that the server is busy with, and releases its connection. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds for which the next rows may stay unasked for, before the query is ended and its connection released;
   * 30,000 when not given. `Infinity` is for a reader that has the store for itself.
   */
  readonly idleTimeout?: number;
}

/** A column of an answer, and how its text is read. */
export interface AnswerColumn {
  readonly name: string;
  readonly read: (text: string) => CellValue;
}

/** A query that was checked. */
export interface CompiledQuery {
  readonly columns: readonly AnswerColumn[];
  /** The statement for the rows of a window, at most so many. */
  statement(window: TimeWindow, limit: number | undefined): CompiledQueryStatement;
}

/** A statement with its parameters. */
export interface CompiledQueryStatement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** Compiles statements; runs none. */
const compiler = new Kysely<Record<string, Record<string, unknown>>>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new PostgresIntrospector(database),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

/**
 * Checks a query of a stream and prepares its statements.
 *
 * @throws {@link WhereError}
 * @throws {@link RowValueError} for a column that there is not, or a limit that is no number of rows
 */
export function compileRowQuery(schema: RowSchema, query: RowQuery): CompiledQuery {
  const { limit = 0, before } = query;
  if (!Number.isSafeInteger(limit) || limit < 0) {
    throw new RowValueError(
      `limit ${limit} is no number of rows; wanted a whole number up to ${Number.MAX_SAFE_INTEGER}`,
    );
  }
  const available = whereColumns(schema);
  const names = query.columns ?? available.map(({ name }) => name);
  const columns = names.map((name) => {
    const found = available.find((column) => column.name === name);
    if (found === undefined) {
      throw new RowValueError(
        `stream "${schema.name}" has no column "${name}"; there are ${available.map((column) => column.name).join(", ")}`,
      );
    }
    return found;
  });
  const where = typeof query.where === "string" ? parseWhere(query.where, schema) : (query.where ?? { kind: "all" });
  const rows = compiler
    .withSchema("skep")
    .selectFrom(schema.name)
    .select(columns.map(({ name, type }) => selected(name, type).as(name)))
    .where(compileSql(where))
    .orderBy(sql.ref(`${schema.name}.time`), query.newestFirst ? "desc" : "asc");
  return {
    columns: columns.map(({ name, type }) => ({ name, read: READERS[type] })),
    statement({ from, to }, limit) {
      let select = rows;
      if (from !== undefined) select = select.where(sql<SqlBool>`time >= ${formatTime(from)}::timestamptz`);
      for (const end of [to, before]) {
        if (end !== undefined) select = select.where(sql<SqlBool>`time < ${formatTime(end)}::timestamptz`);
      }
      if (limit !== undefined) select = select.limit(limit);
      return select.compile();
    },
  };
}

/** Bytes and lists come in forms that need no parser of their own. */
function selected(name: string, type: ColumnType) {
  const column = sql.ref<unknown>(name);
  if (type === "bytes") return sql<unknown>`encode(${column}, 'hex')`;
  if (type === "texts" || type === "addresses") return sql<unknown>`to_json(${column})`;
  return sql<unknown>`${column}`;
}

const readText = (text: string): CellValue => text;
const readNumber = (text: string): CellValue => Number(text);
const readInteger = (text: string): CellValue => BigInt(text);
const readList = (text: string): CellValue => JSON.parse(text) as string[];

/** Each type's text as {@link CellValue} has it. */
const READERS: Readonly<Record<ColumnType, (text: string) => CellValue>> = {
  bool: (text) => text === "t",
  i16: readNumber,
  i32: readNumber,
  u32: readNumber,
  i64: readInteger,
  u64: readInteger,
  f64: readNumber,
  time: readTime,
  text: readText,
  texts: readList,
  addresses: readList,
  bytes: (text) => Buffer.from(text, "hex").toString("base64"),
  ip: (text) => {
    const address = parseIp(text);
    return (address && formatIp(address)) ?? text;
  },
};

/** `2026-01-31 12:00:00.5+00` as RFC 3339 with all six digits. */
function readTime(text: string): string {
  const [seconds = "", fraction = ""] = text.replace(" ", "T").replace("+00", "").split(".");
  return `${seconds}.${fraction.padEnd(6, "0")}Z`;
}
