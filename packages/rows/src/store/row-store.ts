// SPDX-License-Identifier: Apache-2.0

import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { ClientBase, Pool } from "pg";
import type { CellValue, RowObject } from "../cells/cell-value.ts";
import { RowsError, StoreInUseError } from "../errors.ts";
import { ClientLease } from "../postgres/client-lease.ts";
import { openPool, type PostgresAddress } from "../postgres/postgres-address.ts";
import { readSchema } from "../postgres/stream-table.ts";
import type { RowSchema } from "../row-schema.ts";
import { PostgresSink, type PostgresSinkOptions } from "../sinks/postgres-sink.ts";
import { STORE_DATABASE, STORE_USER } from "./cluster.ts";
import { EmbeddedPostgres, type EmbeddedPostgresOptions } from "./embedded-postgres.ts";
import {
  type AnswerColumn,
  type CompiledQuery,
  type CompiledQueryStatement,
  compileRowQuery,
  type RowQuery,
} from "./row-query.ts";
import { openSocketFolder } from "./socket-folder.ts";
import { listStreams, readChunkTimes, type StoredStream } from "./stored-streams.ts";
import { timeWindows } from "./time-windows.ts";

/** Which store to open. */
export type StoreLocation =
  | { /** A folder with a PostgreSQL of our own. */ readonly data: string }
  | { /** Any PostgreSQL. */ readonly url: string };

/** Options of {@link openStore}. */
export interface StoreOptions extends EmbeddedPostgresOptions {
  /**
   * What to do when another process owns the data folder: throw (the default), or use the PostgreSQL that it runs,
   * for as long as it runs.
   */
  readonly whenInUse?: "refuse" | "share";
}

/** Rows that a query fetches at a time. */
const FETCH = 1000;

/**
 * Opens a store: starts PostgreSQL in a data folder, or connects to one that runs.
 *
 * @throws {@link StoreInUseError} when another process owns the data folder
 * @throws {@link StoreError} when PostgreSQL cannot run there
 */
export async function openStore(location: StoreLocation, options: StoreOptions = {}): Promise<RowStore> {
  if ("url" in location) return new RowStore({ url: location.url }, []);
  try {
    const postgres = await EmbeddedPostgres.open(location.data, options);
    return new RowStore(postgres.address, [postgres]);
  } catch (error) {
    if (!(error instanceof StoreInUseError) || options.whenInUse !== "share") throw error;
    const socket = openSocketFolder(join(realpathSync(location.data), "pg"));
    const close = { [Symbol.asyncDispose]: async () => socket[Symbol.dispose]() };
    return new RowStore({ socket: socket.path, user: STORE_USER, database: STORE_DATABASE }, [close]);
  }
}

/** Stored rows: sinks that add to them, queries that read them. */
export class RowStore implements AsyncDisposable {
  /** Where its PostgreSQL listens. */
  readonly address: PostgresAddress;
  readonly #pool: Pool;
  readonly #owned: readonly AsyncDisposable[];
  /** Connections of the queries under way. */
  readonly #leases = new Set<ClientLease>();
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

  /** The streams that are stored, by name. */
  streams(): Promise<StoredStream[]> {
    return listStreams(this.#pool);
  }

  /**
   * The schema that a stream is stored with: every column that it ever had.
   *
   * @throws {@link RowsError} with code `ERR_NOT_FOUND`, naming the streams that there are
   */
  async schema(stream: string): Promise<RowSchema> {
    const streams = await this.streams();
    const schema = streams.length === 0 ? undefined : await readSchema(this.#pool, stream);
    if (schema !== undefined) return schema;
    const names = streams.map(({ name }) => name).join(", ");
    throw new RowsError("ERR_NOT_FOUND", `no stream "${stream}"; there ${names === "" ? "are none" : `is ${names}`}`);
  }

  /**
   * Reads rows, some at a time as they are asked for, so that memory holds but a few. They are as they were when
   * the query began. Closing the store ends the query.
   *
   * @throws {@link WhereError} for a filter that cannot be read
   */
  async *query(stream: string, query: RowQuery = {}): AsyncGenerator<readonly RowObject[], void, undefined> {
    const compiled = compileRowQuery(await this.schema(stream), query);
    using lease = new ClientLease(await this.#pool.connect());
    const { client } = lease;
    this.#leases.add(lease);
    try {
      await client.query("begin isolation level repeatable read read only");
      let left = query.limit;
      for (const window of timeWindows(await readChunkTimes(client, stream), query.newestFirst ?? false)) {
        if (left === 0) break;
        for await (const rows of fetchRows(client, compiled, compiled.statement(window, left))) {
          if (left !== undefined) left -= rows.length;
          yield rows;
        }
      }
      await client.query("commit");
      lease.giveBack();
    } finally {
      this.#leases.delete(lease);
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

  async #close(): Promise<void> {
    // Queries that somebody began to read and forgot would hold the pool open.
    for (const lease of this.#leases) lease[Symbol.dispose]();
    await this.#pool.end();
    for (const owned of this.#owned) await owned[Symbol.asyncDispose]();
  }
}

/** Leaves every column as the text that PostgreSQL sent. */
const AS_TEXT = { getTypeParser: () => (text: string) => text };

async function* fetchRows(
  client: ClientBase,
  { columns }: CompiledQuery,
  statement: CompiledQueryStatement,
): AsyncGenerator<readonly RowObject[], void, undefined> {
  await client.query(`declare skep_rows no scroll cursor for ${statement.sql}`, [...statement.parameters]);
  const fetch = { text: `fetch ${FETCH} from skep_rows`, rowMode: "array", types: AS_TEXT } as const;
  for (;;) {
    const { rows } = await client.query<(string | null)[]>(fetch);
    if (rows.length > 0) yield rows.map((cells) => objectOf(columns, cells));
    if (rows.length < FETCH) break;
  }
  await client.query("close skep_rows");
}

function objectOf(columns: readonly AnswerColumn[], cells: readonly (string | null)[]): RowObject {
  const object: Record<string, CellValue> = {};
  for (const [index, { name, read }] of columns.entries()) {
    const cell = cells[index] ?? null;
    object[name] = cell === null ? null : read(cell);
  }
  return object;
}
