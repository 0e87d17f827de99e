// SPDX-License-Identifier: Apache-2.0

import type { ClientBase } from "pg";
import { formatTime, parseTime } from "../cells/time-text.ts";
import type { ChunkTimes } from "./time-windows.ts";

/** What the store holds of one stream, and what retention has taken from it. */
export interface StoredStream {
  readonly name: string;
  readonly description: string | undefined;
  /** Rows stored now. */
  readonly rows: number;
  /** Bytes of its tables and their indexes. */
  readonly bytes: number;
  /** Tables that its rows lie in. */
  readonly chunks: number;
  /** Times of the first and last row, RFC 3339; undefined without rows. */
  readonly oldest: string | undefined;
  readonly newest: string | undefined;
  /** What retention has dropped since the stream began. */
  readonly dropped: { readonly rows: number; readonly chunks: number; readonly bytes: number };
}

interface StreamRow {
  readonly stream: string;
  readonly description: string | null;
  readonly rows: string;
  readonly bytes: string;
  readonly chunks: string;
  readonly oldest: string | null;
  readonly newest: string | null;
  readonly dropped_rows: string;
  readonly dropped_chunks: string;
  readonly dropped_bytes: string;
}

/** The names of all streams; none when nothing was ever stored. */
export async function streamNames(client: ClientBase): Promise<string[]> {
  if (!(await hasStreams(client))) return [];
  const { rows } = await client.query<{ stream: string }>("select stream from skep.streams order by stream");
  return rows.map(({ stream }) => stream);
}

/** Reads all streams, by name; none when nothing was ever stored. */
export async function listStreams(client: ClientBase): Promise<StoredStream[]> {
  if (!(await hasStreams(client))) return [];
  const { rows } = await client.query<StreamRow>(LIST);
  return rows.map((row) => ({
    name: row.stream,
    description: row.description ?? undefined,
    rows: Number(row.rows),
    bytes: Number(row.bytes),
    chunks: Number(row.chunks),
    oldest: timeOf(row.oldest),
    newest: timeOf(row.newest),
    dropped: { rows: Number(row.dropped_rows), chunks: Number(row.dropped_chunks), bytes: Number(row.dropped_bytes) },
  }));
}

/** First and last times of the chunks of a stream that hold rows. */
export async function readChunkTimes(client: ClientBase, stream: string): Promise<ChunkTimes[]> {
  const { rows } = await client.query<{ oldest: string; newest: string }>(
    "select oldest::text, newest::text from skep.chunks where stream = $1 and rows > 0",
    [stream],
  );
  return rows.map(({ oldest, newest }) => ({ oldest: parseTime(oldest) ?? 0, newest: parseTime(newest) ?? 0 }));
}

async function hasStreams(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>("select to_regclass('skep.streams') is not null as found");
  return rows[0]?.found === true;
}

const LIST = `
select s.stream, s.schema ->> 'description' as description, s.dropped_rows, s.dropped_chunks, s.dropped_bytes,
  coalesce(sum(c.rows), 0) as rows, count(c.id) as chunks, min(c.oldest)::text as oldest, max(c.newest)::text as newest,
  coalesce(sum(pg_total_relation_size(to_regclass(format('skep.%I', s.stream || '$' || coalesce(c.id::text, ''))))), 0) as bytes
from skep.streams s left join skep.chunks c using (stream)
group by s.stream order by s.stream`;

function timeOf(text: string | null): string | undefined {
  const time = text === null ? undefined : parseTime(text);
  return time === undefined ? undefined : formatTime(time);
}
