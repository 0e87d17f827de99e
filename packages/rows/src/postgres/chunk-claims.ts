// SPDX-License-Identifier: Apache-2.0

import type { Pool, PoolClient } from "pg";
import { RowsClosedError } from "../errors.ts";
import { createChunk, findOpenChunks } from "./chunk.ts";
import type { ChunkLimits } from "./chunk-limits.ts";
import { ClientLease } from "./client-lease.ts";

/** Key of the advisory locks on chunks, the chunk's id being the other: "skpc" in ASCII. */
const CHUNK_LOCK = 0x736b7063;

/** A chunk that takes rows. */
export interface ClaimedChunk {
  /** A 64-bit integer as text. */
  readonly id: string;
  /** Seconds since it was made. */
  readonly age: number;
}

/**
 * The chunks that a writer fills. It holds an advisory lock on each, on a connection that stays open for that, so
 * that others see which chunks have a writer and go on with those that have none: many short-lived writers after one
 * another fill one chunk.
 *
 * Nothing depends on these locks but how rows are spread over chunks. Should the connection break, and with it the
 * locks, two writers may fill one chunk: they take turns, by the lock on its row.
 */
export class ChunkClaims implements Disposable {
  readonly #pool: Pool;
  #lease: ClientLease | undefined;
  #isClosed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** The newest chunk of a stream that is neither old nor large and that no writer has; a new one when there is none. */
  take(stream: string, writer: string, limits: ChunkLimits): Promise<ClaimedChunk> {
    return this.#inTurn(async (client) => {
      for (const chunk of await findOpenChunks(client, stream, limits)) {
        const { rows } = await client.query<{ taken: boolean }>("select pg_try_advisory_lock($1, $2) as taken", [
          CHUNK_LOCK,
          lockKey(chunk.id),
        ]);
        if (rows[0]?.taken === true) return chunk;
      }
      await client.query("begin");
      const id = await createChunk(client, stream, writer);
      // Before others see it.
      await client.query("select pg_advisory_lock($1, $2)", [CHUNK_LOCK, lockKey(id)]);
      await client.query("commit");
      return { id, age: 0 };
    });
  }

  /** Gives up a chunk that takes no more rows. */
  async giveUp(id: string): Promise<void> {
    // Without a connection there is no lock.
    if (this.#lease === undefined) return;
    await this.#inTurn((client) => client.query("select pg_advisory_unlock($1, $2)", [CHUNK_LOCK, lockKey(id)]));
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#disconnect();
  }

  #disconnect(): void {
    this.#lease?.[Symbol.dispose]();
    this.#lease = undefined;
  }

  /** One action at a time on the connection. After a failure it is another one. */
  #inTurn<Result>(action: (client: PoolClient) => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(async () => {
      this.#lease ??= new ClientLease(await this.#pool.connect());
      try {
        // Closed while it waited for the connection.
        if (this.#isClosed) throw new RowsClosedError("the writer of a chunk");
        return await this.#lease.whileInUse(action);
      } catch (error) {
        this.#disconnect();
        throw error;
      }
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

/** Advisory locks have 32 bits for it; chunks whose ids differ by a multiple of 2^31 share one. */
function lockKey(id: string): number {
  return Number(BigInt(id) % 2n ** 31n);
}
