// SPDX-License-Identifier: Apache-2.0

import { Pool, type PoolConfig } from "pg";

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

/** How long taking a connection, or a lock, may take, in milliseconds. */
const CONNECT_TIMEOUT = 5_000;
const LOCK_TIMEOUT = 10_000;

/** What the answer to a statement may take longer than the statement, before the connection counts as dead. */
const ANSWER_GRACE = 10_000;

/**
 * A pool of connections to an address. Connections are made when they are needed, so a server that went away is
 * found again by the next use. The pool does not keep the process alive.
 */
export function openPool(address: PostgresAddress, limits: SessionLimits): Pool {
  const config: PoolConfig = {
    ...("url" in address
      ? { connectionString: address.url }
      : { host: address.socket, user: address.user, database: address.database, password: "" }),
    application_name: "skep",
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
