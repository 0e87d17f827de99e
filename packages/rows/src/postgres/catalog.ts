// SPDX-License-Identifier: Apache-2.0

import type { ClientBase, Pool } from "pg";
import { inTransaction } from "./transaction.ts";

/** Key of the advisory lock under which tables are made and changed: "skep" in ASCII. */
const DDL_LOCK = 0x736b6570;

/** Progress of writers that were not seen for this long is forgotten. */
const WRITER_LIFETIME = "7 days";

/**
 * Makes the schema `skep` with Skep's own tables, where they are missing.
 *
 * - `skep.streams`: a row a stream: its schema as JSON, and what retention has dropped.
 * - `skep.chunks`: a row a chunk, with the number of its rows and their times. Its table is `skep.STREAM$ID`.
 * - `skep.progress`: for each writer and stream, the last sequence that was committed.
 */
export async function ensureCatalog(pool: Pool): Promise<void> {
  await inTransaction(pool, async (client) => {
    await lockTables(client);
    await client.query(CATALOG);
    await client.query("delete from skep.progress where updated_at < now() - $1::interval", [WRITER_LIFETIME]);
  });
}

/** Keeps other writers from changing tables until the transaction ends. */
export async function lockTables(client: ClientBase): Promise<void> {
  await client.query("select pg_advisory_xact_lock($1)", [DDL_LOCK]);
}

/** `chunks` and `progress` are updated with every write: room in their pages lets that happen in place. */
const CATALOG = `
create schema if not exists skep;
create table if not exists skep.streams (
  stream text primary key,
  schema json not null,
  created_at timestamptz not null default now(),
  dropped_rows bigint not null default 0,
  dropped_chunks bigint not null default 0,
  dropped_bytes bigint not null default 0
);
create table if not exists skep.chunks (
  id bigint generated always as identity primary key,
  stream text not null references skep.streams,
  writer uuid not null,
  created_at timestamptz not null default now(),
  sealed_at timestamptz,
  constrained boolean not null default false,
  rows bigint not null default 0,
  oldest timestamptz,
  newest timestamptz
) with (fillfactor = 50);
create table if not exists skep.progress (
  writer uuid not null,
  stream text not null,
  sequence bigint not null,
  updated_at timestamptz not null default now(),
  primary key (writer, stream)
) with (fillfactor = 50);
comment on schema skep is 'Rows observed by Skep: a table a stream';
comment on table skep.streams is 'The streams: their columns, and what retention has dropped';
comment on table skep.chunks is 'The pieces of each stream''s table; retention drops whole ones';
comment on table skep.progress is 'The last write of each writer, so that none is stored twice';
`;
