// SPDX-License-Identifier: Apache-2.0

import { type ClientBase, escapeIdentifier, escapeLiteral, type Pool } from "pg";
import { RowSchemaError } from "../errors.ts";
import type { RowSchema } from "../row-schema.ts";
import { lockTables } from "./catalog.ts";
import { SQL_TYPES } from "./column-sql.ts";
import { inTransaction } from "./transaction.ts";

/** What the built-in columns mean. */
const BUILT_IN_COMMENTS = {
  time: "When it happened",
  node: "The node that it happened on",
  workload: "The workload that saw it",
};

/** The quoted name of a stream's table. */
export function streamTable(stream: string): string {
  return `skep.${escapeIdentifier(stream)}`;
}

/**
 * Makes the table of a stream, or adds the columns that the schema has and the table lacks. Columns that the
 * schema no longer has stay, and are null in new rows.
 *
 * @throws {@link RowSchemaError} when a column is there with another SQL type
 */
export async function ensureStreamTable(pool: Pool, schema: RowSchema): Promise<void> {
  await inTransaction(pool, async (client) => {
    await lockTables(client);
    const stored = await readSchema(client, schema.name);
    if (stored === undefined) await createTable(client, schema);
    else await evolveTable(client, stored, schema);
  });
}

/** The schema that a stream is stored with: every column that it ever had. Undefined when there is no such stream. */
export async function readSchema(client: ClientBase | Pool, stream: string): Promise<RowSchema | undefined> {
  const { rows } = await client.query<{ schema: RowSchema }>("select schema from skep.streams where stream = $1", [
    stream,
  ]);
  return rows[0]?.schema;
}

async function createTable(client: ClientBase, schema: RowSchema): Promise<void> {
  const table = streamTable(schema.name);
  const columns = schema.columns.map(({ name, type }) => `${escapeIdentifier(name)} ${SQL_TYPES[type]}`);
  const builtIn = ["time timestamptz not null", "node text not null", "workload text not null"];
  await client.query(`create table ${table} (${[...builtIn, ...columns].join(", ")})`);
  for (const [name, comment] of Object.entries(BUILT_IN_COMMENTS)) await commentColumn(client, table, name, comment);
  await describe(client, schema);
  await client.query("insert into skep.streams (stream, schema) values ($1, $2)", [
    schema.name,
    JSON.stringify(schema),
  ]);
}

async function evolveTable(client: ClientBase, stored: RowSchema, schema: RowSchema): Promise<void> {
  if (JSON.stringify(stored) === JSON.stringify(schema)) return;
  const table = streamTable(schema.name);
  const before = new Map(stored.columns.map((column) => [column.name, column]));
  for (const { name, type } of schema.columns) {
    const found = before.get(name);
    if (found === undefined) {
      await client.query(`alter table ${table} add column ${escapeIdentifier(name)} ${SQL_TYPES[type]}`);
    } else if (SQL_TYPES[found.type] !== SQL_TYPES[type]) {
      throw new RowSchemaError(
        `table skep."${schema.name}", column "${name}": it is ${found.type} (${SQL_TYPES[found.type]}), ` +
          `now wanted is ${type} (${SQL_TYPES[type]}); give the column or the stream another name, or drop the stream's rows`,
      );
    }
  }
  const now = new Set(schema.columns.map(({ name }) => name));
  const gone = stored.columns.filter(({ name }) => !now.has(name));
  const merged: RowSchema = { ...schema, columns: [...schema.columns, ...gone] };
  await describe(client, schema);
  await client.query("update skep.streams set schema = $2 where stream = $1", [schema.name, JSON.stringify(merged)]);
}

async function describe(client: ClientBase, schema: RowSchema): Promise<void> {
  const table = streamTable(schema.name);
  if (schema.description !== undefined) {
    await client.query(`comment on table ${table} is ${escapeLiteral(schema.description)}`);
  }
  for (const { name, description } of schema.columns) {
    if (description !== undefined) await commentColumn(client, table, name, description);
  }
}

async function commentColumn(client: ClientBase, table: string, column: string, comment: string): Promise<void> {
  await client.query(`comment on column ${table}.${escapeIdentifier(column)} is ${escapeLiteral(comment)}`);
}
