// SPDX-License-Identifier: Apache-2.0

import type { PoolClient } from "pg";

/**
 * A connection out of its pool. Disposing of it ends the connection, because what it is in the middle of may be
 * unknown, unless it was given back before.
 */
export class ClientLease implements Disposable {
  readonly client: PoolClient;
  #isOut = true;
  /** The query under way is told of a broken connection; without a listener so would be the whole process. */
  readonly #ignore = (): void => undefined;

  constructor(client: PoolClient) {
    this.client = client;
    client.on("error", this.#ignore);
  }

  /** Keeps the process alive while an action uses the connection, and not before or after. */
  async whileInUse<Result>(action: (client: PoolClient) => Promise<Result>): Promise<Result> {
    // Missing in pg's types.
    const handle = this.client as PoolClient & { ref(): void; unref(): void };
    handle.ref();
    try {
      return await action(this.client);
    } finally {
      handle.unref();
    }
  }

  /** Returns the connection to the pool, ready for the next user. */
  giveBack(): void {
    this.#release(false);
  }

  [Symbol.dispose](): void {
    this.#release(true);
  }

  #release(destroy: boolean): void {
    if (!this.#isOut) return;
    this.#isOut = false;
    this.client.off("error", this.#ignore);
    this.client.release(destroy);
  }
}
