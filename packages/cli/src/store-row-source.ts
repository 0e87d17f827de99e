// SPDX-License-Identifier: Apache-2.0

import { SkepError } from "@skep/ebpf";
import { encodeJsonObject, openStore, type RowStore } from "@skep/rows";
import type { RowQuery, RowSource } from "./row-source.ts";

/** Opens the rows in a data folder that nobody else uses, or in the PostgreSQL at a URL. Makes nothing. */
export async function openStoredRows(data: string, url: string | undefined): Promise<RowSource> {
  const location = url === undefined ? { data } : { url };
  return new StoreRowSource(await openStore(location, { owner: "skep rows", create: false }));
}

class StoreRowSource implements RowSource {
  readonly #store: RowStore;

  constructor(store: RowStore) {
    this.#store = store;
  }

  query(stream: string, query: RowQuery): AsyncIterable<readonly string[]> {
    // Nobody else waits for its connections: a pager may keep it waiting.
    return storedRows(this.#store, stream, query, Number.POSITIVE_INFINITY);
  }

  follow(): never {
    throw new SkepError(
      "ERR_NOT_RUNNING",
      "--follow: no `skep up` is running on this data folder, so no rows will come; start it first",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close();
  }
}

/** Stored rows as JSON objects. `idleTimeout`: milliseconds that a reader may leave them unread; 30 s unless given. */
export async function* storedRows(
  store: RowStore,
  stream: string,
  { where, limit, order, before, signal }: RowQuery,
  idleTimeout?: number,
): AsyncGenerator<readonly string[]> {
  const rows = store.query(stream, {
    newestFirst: order === "newest",
    signal,
    ...(where === undefined ? {} : { where }),
    ...(limit === undefined ? {} : { limit }),
    ...(before === undefined ? {} : { before }),
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
  });
  for await (const some of rows) yield some.map(encodeJsonObject);
}
