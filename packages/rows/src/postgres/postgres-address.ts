// SPDX-License-Identifier: Apache-2.0

import { Client, type ClientConfig, Pool, type PoolConfig } from "pg";
import { StoreError } from "../errors.ts";

/** Where a PostgreSQL listens. */
export type PostgresAddress =
  | { /** `postgres://user:password@host:port/database`. */ readonly url: string }
  | {
      /** Folder of its Unix socket. */
      readonly socket: string;
      readonly user: string;
      readonly database: string;
    };

/** Limits of the sessions of a pool, in milliseconds. */
export interface SessionLimits {
  /** Connections at a time. */
  readonly connections: number;
  /** How long a statement may take; 0 for no limit. */
  readonly statement: number;
  /** How long a transaction may wait for its next statement; 0 for no limit. */
  readonly idle: number;
}

/** Sessions speak UTC and ISO whatever the database prefers: times are read back as text. */
const SESSION_OPTIONS = "-c TimeZone=UTC -c DateStyle=ISO -c extra_float_digits=1 -c client_min_messages=warning";

/** How Skep's connections are called in `pg_stat_activity`. */
const APPLICATION = "skep";

/** How long taking a connection, or a lock, may take, in milliseconds. */
export const CONNECT_TIMEOUT = 5_000;
const LOCK_TIMEOUT = 10_000;

/** What the answer to a statement may take longer than the statement, before the connection counts as dead. */
const ANSWER_GRACE = 10_000;

/**
 * A pool of connections to an address. Connections are made when they are needed, so a server that went away is
 * found again by the next use. The pool does not keep the process alive.
 */
export function openPool(address: PostgresAddress, limits: SessionLimits): Pool {
  const config: PoolConfig = {
    ...whereTo(address),
    max: limits.connections,
    allowExitOnIdle: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    lock_timeout: LOCK_TIMEOUT,
    idle_in_transaction_session_timeout: limits.idle,
    options: SESSION_OPTIONS,
    keepAlive: true,
    ...(limits.statement === 0
      ? {}
      : { statement_timeout: limits.statement, query_timeout: limits.statement + ANSWER_GRACE }),
  };
  const pool = new Pool(config);
  // A connection that breaks while nobody uses it leaves the pool; whoever needs one next gets another.
  pool.on("error", () => undefined);
  return pool;
}

/**
 * Ends a connection's session on the server, and with it the statement that it is busy with: a server does not
 * notice that a client is gone before it answers. Does nothing when the server cannot be reached.
 */
export async function terminateSession(address: PostgresAddress, processId: number): Promise<void> {
  const limits = { connectionTimeoutMillis: CONNECT_TIMEOUT, query_timeout: CONNECT_TIMEOUT };
  const client = new Client({ ...whereTo(address), ...limits });
  client.on("error", () => undefined);
  try {
    await client.connect();
    // The process may have ended meanwhile, and its number passed to a session of others.
    const terminate = "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and application_name = $2";
    await client.query(terminate, [processId, APPLICATION]);
  } catch {
    // The server is away, and its sessions with it; or it is cut off, and will notice in its own time.
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Checks that an address can be read, before it is used.
 *
 * @throws {@link StoreError} saying what an address looks like; a password is left out
 */
export function checkUrl(url: string): void {
  const found = /^(postgres|postgresql|socket):/.test(url) ? unreadable(url) : "it does not begin with postgres://";
  if (found === undefined) return;
  throw new StoreError(
    `store "${url.replace(/:[^:@/]*@/, ":…@")}" is no address of a PostgreSQL: ${found}; ` +
      "wanted postgres://USER:PASSWORD@HOST:PORT/DATABASE",
  );
}

function unreadable(url: string): string | undefined {
  try {
    new Client({ connectionString: url });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function whereTo(address: PostgresAddress): ClientConfig {
  return {
    ...("url" in address
      ? { connectionString: address.url }
      : { host: address.socket, user: address.user, database: address.database, password: "" }),
    application_name: APPLICATION,
  };
}
