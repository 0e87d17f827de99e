// SPDX-License-Identifier: Apache-2.0

import type { Retention, RowStore } from "@skep/rows";
import type { StorageInfo } from "@skep/web";
import { withoutPassword } from "./open-sink.ts";

/** How often the size of the store is looked up, in milliseconds. */
const INTERVAL = 10_000;

/** Where a host's rows are stored, and how many bytes they take: looked up now and then, shown at any time. */
export class StorageReport implements Disposable {
  readonly #store: RowStore;
  readonly #fixed: Omit<StorageInfo, "bytes">;
  readonly #timer: NodeJS.Timeout;
  #bytes: number | undefined;

  constructor(
    store: RowStore,
    options: { readonly data: string; readonly store?: string; readonly retention: Retention },
  ) {
    this.#store = store;
    this.#fixed = {
      kind: options.store === undefined ? "embedded" : "url",
      location: options.store === undefined ? options.data : withoutPassword(options.store),
      retention: options.retention,
    };
    this.#timer = setInterval(() => void this.#measure(), INTERVAL).unref();
    void this.#measure();
  }

  /** What is known now. */
  info(): StorageInfo {
    return { ...this.#fixed, bytes: this.#bytes };
  }

  async #measure(): Promise<void> {
    try {
      const streams = await this.#store.streams();
      this.#bytes = streams.reduce((sum, { bytes }) => sum + bytes, 0);
    } catch {
      // A store that is down is told of by its sink; here its size is unknown.
      this.#bytes = undefined;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
