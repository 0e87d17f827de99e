// SPDX-License-Identifier: Apache-2.0

import type { Pool } from "pg";
import type { Retention } from "../retention.ts";
import { constrainChunk, removeChunk, sealChunk, unlessLocked } from "./chunk.ts";
import { chunkLimits } from "./chunk-limits.ts";

interface StoredChunk {
  readonly id: string;
  readonly sealed: boolean;
  readonly constrained: boolean;
  readonly full: boolean;
  readonly expired: boolean;
  readonly bytes: string;
}

/**
 * Seals the chunks of a stream that are full or old, whoever wrote them, then drops the oldest sealed chunks while
 * the stream is beyond its retention. What was dropped is added up in `skep.streams`. Safe to run from several
 * processes at a time.
 */
export async function enforceRetention(pool: Pool, stream: string, retention: Retention): Promise<void> {
  const before = await readChunks(pool, stream, retention);
  for (const { id, sealed, full, expired } of before) {
    if (!sealed && (full || expired)) await sealChunk(pool, stream, id);
  }
  const chunks = await readChunks(pool, stream, retention);
  let bytes = chunks.reduce((sum, chunk) => sum + Number(chunk.bytes), 0);
  for (const chunk of chunks) {
    if (!chunk.sealed) continue;
    if (chunk.expired || bytes > (retention.size ?? Number.POSITIVE_INFINITY)) {
      // One that is being read goes the next time; newer ones are not dropped in its place.
      if (!(await dropChunk(pool, stream, chunk))) break;
      bytes -= Number(chunk.bytes);
    } else if (!chunk.constrained) {
      await constrainChunk(pool, stream, chunk.id);
    }
  }
}

/** Chunks of a stream, oldest first. */
async function readChunks(pool: Pool, stream: string, retention: Retention): Promise<StoredChunk[]> {
  const limits = chunkLimits(retention);
  const { rows } = await pool.query<StoredChunk>(
    `select id, sealed_at is not null as sealed, constrained,
       created_at < now() - make_interval(secs => $2) or bytes > $3 as full,
       coalesce(newest < now() - make_interval(secs => $4), false) as expired, bytes
     from (
       select *, coalesce(pg_total_relation_size(to_regclass(format('skep.%I', stream || '$' || id))), 0) as bytes
       from skep.chunks where stream = $1
     ) as chunk
     order by id`,
    // "Never" is a length of time that an interval can still hold.
    [stream, limits.age, Math.min(limits.size, Number.MAX_SAFE_INTEGER), Math.min(retention.age ?? 1e10, 1e10)],
  );
  return rows;
}

async function dropChunk(pool: Pool, stream: string, chunk: StoredChunk): Promise<boolean> {
  return await unlessLocked(pool, async (client) => {
    const { rows } = await client.query<{ rows: string }>("select rows from skep.chunks where id = $1 for update", [
      chunk.id,
    ]);
    const [found] = rows;
    // Another process was quicker.
    if (found === undefined) return;
    await removeChunk(client, stream, chunk.id);
    await client.query(
      `update skep.streams set dropped_rows = dropped_rows + $2, dropped_chunks = dropped_chunks + 1,
         dropped_bytes = dropped_bytes + $3 where stream = $1`,
      [stream, found.rows, chunk.bytes],
    );
  });
}
