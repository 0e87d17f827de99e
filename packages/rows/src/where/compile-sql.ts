// SPDX-License-Identifier: Apache-2.0

import { type RawBuilder, type SqlBool, sql } from "kysely";
import { formatIp } from "../cells/ip-text.ts";
import { formatTime } from "../cells/time-text.ts";
import { patternToSql } from "./pattern.ts";
import { isListType, type Where, type WhereColumn, type WhereValue } from "./where-ast.ts";

/**
 * Compiles a filter into a condition over a stream's table. Values are parameters, names are quoted identifiers.
 * It selects the rows that {@link compilePredicate} selects: text compares under collation "C" whatever the
 * database's, and a term on a cell without a value is false, not null, so that `not` means the same in both.
 */
export function compileSql(where: Where): RawBuilder<SqlBool> {
  switch (where.kind) {
    case "all":
      return sql`true`;
    case "and":
    case "or": {
      if (where.terms.length === 0) return where.kind === "and" ? sql`true` : sql`false`;
      return sql`(${sql.join(where.terms.map(compileSql), where.kind === "and" ? sql` and ` : sql` or `)})`;
    }
    case "not":
      return sql`(not ${compileSql(where.term)})`;
    case "null":
      return sql`(${sql.ref(where.column.name)} is null)`;
    case "contains":
      return anyElement(where.column, (text) => sql`strpos(${text}, ${where.text}::text) > 0`);
    case "match": {
      const pattern = patternToSql(where.pattern.root);
      const found = anyElement(where.column, (text) => sql`${text} ~ ${pattern}::text`);
      return where.negated ? sql`(${sql.ref(where.column.name)} is not null and not ${found})` : found;
    }
    case "in":
      return sql`(${sql.join(
        where.values.map((value) => compare(where.column, "=", value)),
        sql` or `,
      )})`;
    case "compare":
      if (isListType(where.column.type) && where.operator === "!=") {
        return sql`(${sql.ref(where.column.name)} is not null and not ${compare(where.column, "=", where.value)})`;
      }
      return compare(where.column, where.operator, where.value);
  }
}

function compare(column: WhereColumn, operator: string, value: WhereValue): RawBuilder<SqlBool> {
  const is = sql.raw(operator);
  if (typeof value === "string") return anyElement(column, (text) => sql`${text} ${is} ${value}::text`);
  // The time of a row is never null, and a plain comparison lets the planner leave chunks out.
  if (column.name === "time") return sql`(${sql.ref("time")} ${is} ${parameter(column, value)})`;
  return sql`((${sql.ref(column.name)} ${is} ${parameter(column, value)}) is true)`;
}

/** The condition on a text column, or on any element of a list. */
function anyElement(
  column: WhereColumn,
  holds: (text: RawBuilder<unknown>) => RawBuilder<unknown>,
): RawBuilder<SqlBool> {
  if (isListType(column.type)) {
    return sql`exists (select from unnest(${sql.ref(column.name)}) as element where ${holds(sql`element collate "C"`)})`;
  }
  return sql`((${holds(sql`${sql.ref(column.name)} collate "C"`)}) is true)`;
}

function parameter(column: WhereColumn, value: Exclude<WhereValue, string>): RawBuilder<unknown> {
  if (typeof value === "bigint") {
    return BigInt.asIntN(64, value) === value && column.type !== "u64"
      ? sql`${value.toString()}::int8`
      : sql`${value.toString()}::numeric`;
  }
  if (typeof value === "boolean") return sql`${value}::boolean`;
  if (typeof value === "number") {
    return column.type === "time" ? sql`${formatTime(value)}::timestamptz` : sql`${String(value)}::float8`;
  }
  if (column.type === "ip") return sql`${formatIp(value) ?? ""}::inet`;
  return sql`${Buffer.from(value)}::bytea`;
}
