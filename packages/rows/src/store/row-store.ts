// SPDX-License-Identifier: Apache-2.0

import type { ClientBase, Pool } from "pg";
import type { CellValue, RowObject } from "../cells/cell-value.ts";
import { QueryExpiredError, RowsClosedError, RowsError } from "../errors.ts";
import { ClientLease } from "../postgres/client-lease.ts";
import { checkUrl, openPool, type PostgresAddress } from "../postgres/postgres-address.ts";
import { readSchema } from "../postgres/stream-table.ts";
import type { RowSchema } from "../row-schema.ts";
import { PostgresSink, type PostgresSinkOptions } from "../sinks/postgres-sink.ts";
import { EmbeddedPostgres, type EmbeddedPostgresOptions } from "./embedded-postgres.ts";
import { connect, QuerySession } from "./query-session.ts";
import {
  type AnswerColumn,
  type CompiledQuery,
  type CompiledQueryStatement,
  compileRowQuery,
  type RowQuery,
} from "./row-query.ts";
import { listStreams, readChunkTimes, type StoredStream, streamNames } from "./stored-streams.ts";
import { timeWindows } from "./time-windows.ts";

/** Which store to open. */
export type StoreLocation =
  | { /** A folder with a PostgreSQL of our own. */ readonly data: string }
  | { /** Any PostgreSQL. */ readonly url: string };

/** Rows that a query fetches at a time. */
const FETCH = 1000;

/** How long the next rows of a query may stay unasked for, in milliseconds. */
const IDLE_TIMEOUT = 30_000;

/**
 * Opens a store: starts PostgreSQL in a data folder, or connects to one that runs. The options are those of a data
 * folder.
 *
 * @throws {@link StoreInUseError} when another process owns the data folder
 * @throws {@link StoreError} when PostgreSQL cannot run there, when there is no store and none is to be made, or when
 *   the URL cannot be read
 */
export async function openStore(location: StoreLocation, options: EmbeddedPostgresOptions = {}): Promise<RowStore> {
  if ("url" in location) {
    checkUrl(location.url);
    return new RowStore({ url: location.url }, []);
  }
  const postgres = await EmbeddedPostgres.open(location.data, options);
  return new RowStore(postgres.address, [postgres]);
}

/** Stored rows: sinks that add to them, queries that read them. */
export class RowStore implements AsyncDisposable {
  /** Where its PostgreSQL listens. */
  readonly address: PostgresAddress;
  readonly #pool: Pool;
  readonly #owned: readonly AsyncDisposable[];
  /** The queries under way. */
  readonly #sessions = new Set<QuerySession>();
  #closing: Promise<void> | undefined;

  /** @param owned - closed after the store */
  constructor(address: PostgresAddress, owned: readonly AsyncDisposable[]) {
    this.address = address;
    this.#owned = owned;
    // Queries may run as long as somebody reads their rows.
    this.#pool = openPool(address, { connections: 8, statement: 0, idle: 0 });
  }

  /** A sink into this store. Close it before the store: until then it keeps its own connections. */
  sink(options: PostgresSinkOptions = {}): PostgresSink {
    return new PostgresSink(this.address, options);
  }

  /**
   * The streams that are stored, by name.
   *
   * @throws {@link StoreBusyError} when no connection is free within 5 s
   */
  streams(): Promise<StoredStream[]> {
    return this.#ask(listStreams);
  }

  /**
   * The schema that a stream is stored with: every column that it ever had.
   *
   * @throws {@link RowsError} with code `ERR_NOT_FOUND`, naming the streams that there are
   * @throws {@link StoreBusyError} when no connection is free within 5 s
   */
  schema(stream: string): Promise<RowSchema> {
    return this.#ask(async (client) => {
      const names = await streamNames(client);
      const schema = names.includes(stream) ? await readSchema(client, stream) : undefined;
      if (schema !== undefined) return schema;
      const found = names.length === 0 ? "are none" : `is ${names.join(", ")}`;
      throw new RowsError("ERR_NOT_FOUND", `no stream "${stream}"; there ${found}`);
    });
  }

  /**
   * Reads rows, some at a time as they are asked for, so that memory holds but a few. They are as they were when
   * the query began. Closing the store ends the query.
   *
   * @throws {@link WhereError} for a filter that cannot be read
   * @throws {@link StoreBusyError} when no connection is free within 5 s
   * @throws {@link QueryExpiredError} when the next rows were not asked for in time
   * @throws the reason of `query.signal`, once that is aborted
   */
  async *query(stream: string, query: RowQuery = {}): AsyncGenerator<readonly RowObject[], void, undefined> {
    const { signal, idleTimeout = IDLE_TIMEOUT } = query;
    signal?.throwIfAborted();
    const compiled = compileRowQuery(await this.schema(stream), query);
    using session = await QuerySession.open(this.#pool, this.address);
    if (this.#closing !== undefined) throw new RowsClosedError("the store");
    const abort = (): void => void session.end(signal?.reason);
    this.#sessions.add(session);
    signal?.addEventListener("abort", abort);
    try {
      signal?.throwIfAborted();
      let left = query.limit;
      const chunks = await session.run((client) => readChunkTimes(client, stream));
      for (const window of timeWindows(chunks, query.newestFirst ?? false)) {
        if (left === 0) break;
        for await (const rows of fetchRows(session, compiled, compiled.statement(window, left))) {
          if (left !== undefined) left -= rows.length;
          using _deadline = session.expire(idleTimeout, () => new QueryExpiredError(stream, idleTimeout));
          yield rows;
        }
      }
      await session.finish();
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#sessions.delete(session);
    }
  }

  /** Ends queries and connections, then the PostgreSQL that it started. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #ask<Answer>(question: (client: ClientBase) => Promise<Answer>): Promise<Answer> {
    using lease = new ClientLease(await connect(this.#pool));
    const answer = await question(lease.client);
    lease.giveBack();
    return answer;
  }

  async #close(): Promise<void> {
    // Queries that somebody began to read and forgot would hold the pool open.
    const reason = new RowsClosedError("the store");
    await Promise.all([...this.#sessions].map((session) => session.end(reason)));
    await this.#pool.end();
    for (const owned of this.#owned) await owned[Symbol.asyncDispose]();
  }
}

/** Leaves every column as the text that PostgreSQL sent. */
const AS_TEXT = { getTypeParser: () => (text: string) => text };

async function* fetchRows(
  session: QuerySession,
  { columns }: CompiledQuery,
  statement: CompiledQueryStatement,
): AsyncGenerator<readonly RowObject[], void, undefined> {
  const declare = `declare skep_rows no scroll cursor for ${statement.sql}`;
  await session.run((client) => client.query(declare, [...statement.parameters]));
  const fetch = { text: `fetch ${FETCH} from skep_rows`, rowMode: "array", types: AS_TEXT } as const;
  for (;;) {
    const { rows } = await session.run((client) => client.query<(string | null)[]>(fetch));
    if (rows.length > 0) yield rows.map((cells) => objectOf(columns, cells));
    if (rows.length < FETCH) break;
  }
  await session.run((client) => client.query("close skep_rows"));
}

function objectOf(columns: readonly AnswerColumn[], cells: readonly (string | null)[]): RowObject {
  const object: Record<string, CellValue> = {};
  for (const [index, { name, read }] of columns.entries()) {
    const cell = cells[index] ?? null;
    object[name] = cell === null ? null : read(cell);
  }
  return object;
}
