// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { SkepError } from "@skep/ebpf";
import { encodeJsonObject, openStore, type RowStore } from "@skep/rows";
import type { RowQuery, RowSource } from "./row-source.ts";

/** Opens the rows in a data folder that nobody else uses, or in the PostgreSQL at a URL. */
export async function openStoredRows(data: string, url: string | undefined): Promise<RowSource> {
  if (url === undefined && !existsSync(data)) {
    throw new SkepError("ERR_NO_STORE", `${data}: there are no rows; \`skep up\` makes the folder and fills it`);
  }
  return new StoreRowSource(await openStore(url === undefined ? { data } : { url }, { owner: "skep rows" }));
}

class StoreRowSource implements RowSource {
  readonly #store: RowStore;

  constructor(store: RowStore) {
    this.#store = store;
  }

  query(stream: string, query: RowQuery): AsyncIterable<readonly string[]> {
    return storedRows(this.#store, stream, query);
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

/** Stored rows as JSON objects. */
export async function* storedRows(store: RowStore, stream: string, query: RowQuery): AsyncGenerator<readonly string[]> {
  const { where, limit, order, before } = query;
  const rows = store.query(stream, {
    newestFirst: order === "newest",
    ...(where === undefined ? {} : { where }),
    ...(limit === undefined ? {} : { limit }),
    ...(before === undefined ? {} : { before }),
  });
  for await (const some of rows) yield some.map(encodeJsonObject);
}
