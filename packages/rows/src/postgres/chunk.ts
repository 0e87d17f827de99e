// SPDX-License-Identifier: Apache-2.0

import { type ClientBase, DatabaseError, escapeIdentifier, type Pool, type PoolClient } from "pg";
import type { ChunkLimits } from "./chunk-limits.ts";
import { streamTable } from "./stream-table.ts";
import { inTransaction } from "./transaction.ts";

/** SQLSTATE of a lock that was not given in time. */
const LOCK_NOT_AVAILABLE = "55P03";

/** The quoted name of a chunk's table; `$` keeps it apart from every stream's. */
export function chunkTable(stream: string, id: string): string {
  return `skep.${escapeIdentifier(`${stream}$${id}`)}`;
}

/**
 * Makes an empty chunk of a stream, in a transaction of the caller: a table that inherits from the stream's, so that
 * queries of that see its rows.
 *
 * @returns its id, a 64-bit integer as text
 */
export async function createChunk(client: ClientBase, stream: string, writer: string): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    "insert into skep.chunks (stream, writer) values ($1, $2) returning id",
    [stream, writer],
  );
  const id = String(rows[0]?.id);
  const table = chunkTable(stream, id);
  await client.query(`create table ${table} () inherits (${streamTable(stream)})`);
  // A B-tree halves the rate of COPY; this costs nothing measurable, and rows come about in the order of time.
  await client.query(`create index on ${table} using brin (time) with (pages_per_range = 32, autosummarize = on)`);
  return id;
}

/** The chunks of a stream that take rows and are within the limits, with their age in seconds; the newest first. */
export async function findOpenChunks(
  client: ClientBase,
  stream: string,
  limits: ChunkLimits,
): Promise<{ id: string; age: number }[]> {
  const { rows } = await client.query<{ id: string; age: number }>(
    `select id, extract(epoch from now() - created_at)::float8 as age
     from skep.chunks
     where stream = $1 and sealed_at is null and created_at > now() - make_interval(secs => $2)
       and coalesce(pg_total_relation_size(to_regclass(format('skep.%I', stream || '$' || id))), 0) < $3
     order by id desc`,
    [stream, limits.age, Math.min(limits.size, Number.MAX_SAFE_INTEGER)],
  );
  return rows;
}

/**
 * Ends a chunk: from now on it takes no rows. A chunk without rows is removed.
 *
 * Any process may seal any chunk: a writer locks the chunk's row and looks before it writes, and goes on to a new
 * chunk when it finds its own sealed or gone.
 */
export async function sealChunk(pool: Pool, stream: string, id: string): Promise<void> {
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ rows: string }>(
      "update skep.chunks set sealed_at = now() where id = $1 and sealed_at is null returning rows",
      [id],
    );
    if (rows[0]?.rows === "0") await removeChunk(client, stream, id);
  });
}

/**
 * Tells the planner by a constraint which times a sealed chunk holds, so that queries of other times leave it out.
 * Needs a moment in which nobody reads the chunk; false when there was none.
 */
export async function constrainChunk(pool: Pool, stream: string, id: string): Promise<boolean> {
  const table = chunkTable(stream, id);
  const added = await unlessLocked(pool, async (client) => {
    const { rows } = await client.query<{ oldest: string; newest: string }>(
      `update skep.chunks set constrained = true where id = $1 and sealed_at is not null and not constrained
       returning oldest::text, newest::text`,
      [id],
    );
    const [chunk] = rows;
    if (chunk === undefined) return;
    // Not checked here, so that readers wait for no more than a moment.
    await client.query(
      `alter table ${table} add constraint times
       check (time >= '${chunk.oldest}'::timestamptz and time <= '${chunk.newest}'::timestamptz) not valid`,
    );
  });
  if (added) await pool.query(`alter table ${table} validate constraint times`);
  return added;
}

/** A transaction that gives way when what it needs is in use: false when it did. */
export async function unlessLocked(pool: Pool, action: (client: PoolClient) => Promise<void>): Promise<boolean> {
  try {
    await inTransaction(pool, async (client) => {
      // Whoever waits for an exclusive lock holds up those who come after.
      await client.query("set local lock_timeout = 500");
      await action(client);
    });
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === LOCK_NOT_AVAILABLE) return false;
    throw error;
  }
}

/** Drops a chunk with its rows. */
export async function removeChunk(client: PoolClient, stream: string, id: string): Promise<void> {
  await client.query("delete from skep.chunks where id = $1", [id]);
  await client.query(`drop table if exists ${chunkTable(stream, id)}`);
}
