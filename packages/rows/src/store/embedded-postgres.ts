// SPDX-License-Identifier: Apache-2.0

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Backoff } from "../backoff.ts";
import { StoreError, StoreInUseError } from "../errors.ts";
import type { PostgresAddress } from "../postgres/postgres-address.ts";
import { BoundedLog } from "./bounded-log.ts";
import { ensureCluster, hasCluster, STORE_DATABASE, STORE_USER } from "./cluster.ts";
import { isDataFolderInUse, lockDataFolder } from "./folder-lock.ts";
import { makeFolder } from "./make-folder.ts";
import { findNativePostgres, installPostgres } from "./native-postgres.ts";
import { spawnPostgres } from "./postgres-command.ts";
import { checkReachable, type PostgresUser, postgresUser } from "./postgres-user.ts";
import { endStaleServer, isReady } from "./server-process.ts";
import { openSocketFolder } from "./socket-folder.ts";

/** Something that happened to the server without being asked for. */
export interface PostgresEvent {
  readonly kind: "ended" | "restarted" | "restart-failed";
  /** For people: how it ended, or why it could not be started. */
  readonly message: string;
}

/** Options of {@link EmbeddedPostgres.open}. */
export interface EmbeddedPostgresOptions {
  /** What owns the folder, as a second owner is told; `skep` when not given. */
  readonly owner?: string;
  /** False refuses a folder without a database instead of making one; true when not given. */
  readonly create?: boolean;
  /** Told when the server ends by itself, and of the attempts to start it again. */
  readonly onEvent?: (event: PostgresEvent) => void;
}

/** Bytes of one log file. */
const LOG_BYTES = 4 * 2 ** 20;

/** How long a server may take to come up, in milliseconds: it may have a crash to recover from. */
const START_TIMEOUT = 120_000;

/** How long each way of stopping may take: with open transactions rolled back, at once, by force. */
const STOP_TIMEOUT = 10_000;

/** Small: rows are written once and mostly read while they are new. Everything else is PostgreSQL's default. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "",
  // Relative to the cluster's folder, which only PostgreSQL's user may enter: no limit on the length of its path.
  unix_socket_directories: ".",
  unix_socket_permissions: "0777",
  max_connections: "40",
  shared_buffers: "64MB",
  max_wal_size: "256MB",
  min_wal_size: "32MB",
  wal_level: "minimal",
  max_wal_senders: "0",
  jit: "off",
  max_locks_per_transaction: "256",
  log_checkpoints: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  cluster_name: "skep",
};

/**
 * A PostgreSQL of our own in a data folder: a child process that listens on a Unix socket in that folder, for this
 * user only, and ends when this process ends, however that is. When it ends by itself it is started again.
 *
 * | in the folder | is |
 * |---|---|
 * | `lock` | who owns the folder |
 * | `pg` | the database cluster |
 * | `postgres-VERSION` | PostgreSQL's programs |
 * | `postgres.log`, `postgres.log.1` | what it said, at most 4 MiB each |
 */
export class EmbeddedPostgres implements AsyncDisposable {
  /** Path of the data folder. */
  readonly folder: string;
  /** Where it listens; stays the same when it is restarted. */
  readonly address: PostgresAddress;
  readonly #socket: Disposable;
  readonly #lock: Disposable;
  readonly #native: string;
  readonly #user: PostgresUser;
  readonly #log: BoundedLog;
  readonly #onEvent: (event: PostgresEvent) => void;
  #child: ChildProcess | undefined;
  #stopping: Promise<void> | undefined;
  readonly #stopped = new AbortController();

  private constructor(
    folder: string,
    lock: Disposable,
    native: string,
    user: PostgresUser,
    options: EmbeddedPostgresOptions,
  ) {
    this.folder = folder;
    this.#lock = lock;
    this.#native = native;
    this.#user = user;
    this.#onEvent = options.onEvent ?? (() => undefined);
    this.#log = new BoundedLog(join(folder, "postgres.log"), LOG_BYTES);
    const socket = openSocketFolder(join(folder, "pg"));
    this.#socket = socket;
    this.address = { socket: socket.path, user: STORE_USER, database: STORE_DATABASE };
  }

  /**
   * Takes a data folder, making what is missing, and starts PostgreSQL in it.
   *
   * @throws {@link StoreInUseError} when another process owns the folder
   * @throws {@link StoreError} when PostgreSQL cannot run there, or there is no database and none is to be made
   */
  static async open(folder: string, options: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> {
    if (options.create === false) checkDatabase(folder);
    const native = findNativePostgres();
    const user = postgresUser();
    const data = makeDataFolder(folder, user);
    await using unwind = new AsyncDisposableStack();
    const lock = unwind.use(lockDataFolder(data, options.owner ?? "skep"));
    await endStaleServer(data);
    const programs = installPostgres(native, data);
    await ensureCluster(data, programs, native.major, user);
    const postgres = new EmbeddedPostgres(data, lock, programs, user, options);
    unwind.defer(() => postgres.#socket[Symbol.dispose]());
    await postgres.#start();
    unwind.move();
    return postgres;
  }

  /** Process id of the server; undefined while it is not running. */
  get processId(): number | undefined {
    return this.#child?.pid;
  }

  /** Stops the server, rolling back what is under way, and gives up the folder. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(): Promise<void> {
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const cluster = join(this.folder, "pg");
    const child = spawnPostgres(
      join(this.#native, "bin/postgres"),
      ["-D", cluster, ...settings],
      this.#user,
      this.folder,
      "QUIT",
    );
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => this.#log.append(text));
    }
    let failure: string | undefined;
    child.once("error", (error) => {
      failure = error.message;
    });
    child.once("exit", (code, signal) => {
      failure = signal === null ? `status ${code}` : signal;
    });
    const deadline = Date.now() + START_TIMEOUT;
    // Read apart, because TypeScript takes a callback's assignment for one that never happens.
    const failed = (): string | undefined => failure;
    while (!isReady(cluster, child.pid)) {
      const reason = failed() ?? (Date.now() > deadline ? `no answer in ${START_TIMEOUT / 1000} s` : undefined);
      if (reason !== undefined) {
        child.kill("SIGKILL");
        throw new StoreError(`PostgreSQL did not start in ${this.folder}: ${reason}; it said: ${this.#log.tail(3)}`);
      }
      await sleep(5);
    }
    this.#child = child;
    if (failed() === undefined) child.once("exit", (code, signal) => this.#onExit(signal ?? `status ${code}`));
    else this.#onExit(`${failed()}`);
    // The server is no reason to keep this process running.
    child.unref();
    for (const stream of [child.stdout, child.stderr]) (stream as { unref?: () => void } | null)?.unref?.();
  }

  #onExit(how: string): void {
    this.#child = undefined;
    if (this.#stopping !== undefined) return;
    this.#onEvent({ kind: "ended", message: `PostgreSQL ended with ${how}; it said: ${this.#log.tail(2)}` });
    // Ends at stop(); failures are events.
    void this.#restart();
  }

  async #restart(): Promise<void> {
    const backoff = new Backoff(50, 5_000);
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#start();
        if (signal.aborted) await this.#endChild();
        else this.#onEvent({ kind: "restarted", message: `PostgreSQL was started again as process ${this.processId}` });
        return;
      } catch (error) {
        this.#onEvent({ kind: "restart-failed", message: error instanceof Error ? error.message : String(error) });
        // Woken by stop().
        await sleep(backoff.next(), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #stop(): Promise<void> {
    this.#stopped.abort();
    try {
      await this.#endChild();
    } finally {
      this.#socket[Symbol.dispose]();
      this.#lock[Symbol.dispose]();
    }
  }

  async #endChild(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.ref();
    // Fast shutdown, immediate shutdown, and what cannot be refused.
    for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
      child.kill(signal);
      const limit = new AbortController();
      const timeout = sleep(STOP_TIMEOUT, "timeout" as const, { signal: limit.signal }).catch(() => "timeout" as const);
      const result = await Promise.race([exited, timeout]);
      limit.abort();
      if (result !== "timeout") return;
    }
  }
}

/** Refuses a folder without a database, unless somebody is about to make it. */
function checkDatabase(folder: string): void {
  if (hasCluster(folder)) return;
  const holder = isDataFolderInUse(folder);
  if (holder !== undefined) throw new StoreInUseError(folder, holder.pid, undefined);
  const found = statSync(folder, { throwIfNoEntry: false }) === undefined ? "there is no such folder" : "it has none";
  throw new StoreError(
    `data folder ${folder} holds no database of rows: ${found}; "skep up" makes one and fills it, ` +
      "--data names another folder, --store a PostgreSQL elsewhere",
  );
}

/**
 * Makes the data folder. When PostgreSQL runs as another user it needs to pass through, and nobody needs to list it.
 *
 * @returns its real path
 */
function makeDataFolder(folder: string, user: PostgresUser): string {
  const made = makeFolder(folder, user.isOther ? 0o711 : 0o700);
  const data = realpathSync(folder);
  if (user.isOther) {
    // Folders above it that this call made are closed by a strict umask; one that was there is the owner's affair.
    if (made) chmodSync(data, 0o711);
    checkReachable(data, user);
  }
  return data;
}
