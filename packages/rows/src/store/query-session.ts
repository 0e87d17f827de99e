// SPDX-License-Identifier: Apache-2.0

import type { ClientBase, Pool, PoolClient } from "pg";
import { StoreBusyError } from "../errors.ts";
import { ClientLease } from "../postgres/client-lease.ts";
import { CONNECT_TIMEOUT, type PostgresAddress, terminateSession } from "../postgres/postgres-address.ts";

/**
 * A read-only transaction in which one query sees the rows as they are now. Its connection can be taken away at any
 * moment: whatever the query does next then throws the reason.
 */
export class QuerySession implements Disposable {
  readonly #address: PostgresAddress;
  readonly #lease: ClientLease;
  #processId: number | undefined;
  #isBusy = false;
  #ended: { readonly reason: unknown } | undefined;

  private constructor(address: PostgresAddress, client: PoolClient) {
    this.#address = address;
    this.#lease = new ClientLease(client);
  }

  /**
   * Takes a connection out of the pool, waiting 5 s at most.
   *
   * @throws {@link StoreBusyError} when none came free
   */
  static async open(pool: Pool, address: PostgresAddress): Promise<QuerySession> {
    const session = new QuerySession(address, await connect(pool));
    try {
      await session.run(async (client) => {
        await client.query("begin isolation level repeatable read read only");
        const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
        session.#processId = rows[0]?.pid;
      });
      return session;
    } catch (error) {
      session[Symbol.dispose]();
      throw error;
    }
  }

  /** Lets an action use the connection. */
  async run<Result>(action: (client: ClientBase) => Promise<Result>): Promise<Result> {
    this.#assertNotEnded();
    this.#isBusy = true;
    try {
      return await action(this.#lease.client);
    } catch (error) {
      this.#assertNotEnded();
      throw error;
    } finally {
      this.#isBusy = false;
    }
  }

  /** Ends the session unless the result is disposed of within so many milliseconds. */
  expire(milliseconds: number, reason: () => unknown): Disposable {
    if (milliseconds === Number.POSITIVE_INFINITY) return { [Symbol.dispose]: () => undefined };
    const timer = setTimeout(() => void this.end(reason()), milliseconds).unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  }

  /**
   * Takes the connection away, at once. Resolves when the server was told to stop what it was busy with; does not
   * reject.
   */
  async end(reason: unknown): Promise<void> {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    const isBusy = this.#isBusy;
    this.#lease[Symbol.dispose]();
    if (isBusy && this.#processId !== undefined) await terminateSession(this.#address, this.#processId);
  }

  /** Ends the transaction and gives the connection to the next user. */
  async finish(): Promise<void> {
    await this.run((client) => client.query("commit"));
    this.#lease.giveBack();
  }

  [Symbol.dispose](): void {
    this.#lease[Symbol.dispose]();
  }

  #assertNotEnded(): void {
    if (this.#ended !== undefined) throw this.#ended.reason;
  }
}

/** Takes a connection out of a pool; one that has none for so long says so and nothing else. */
export async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (cause) {
    if (!(cause instanceof Error) || cause.message !== "timeout exceeded when trying to connect") throw cause;
    throw new StoreBusyError(pool.totalCount, CONNECT_TIMEOUT / 1000, { cause });
  }
}
