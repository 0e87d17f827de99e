// SPDX-License-Identifier: Apache-2.0

import { ArrayStore } from "./array-store.ts";
import type { ElementStore } from "./element-store.ts";
import { KeyedStore } from "./keyed-store.ts";
import { BloomStore, QueueStore } from "./keyless-stores.ts";
import type { MapBlock } from "./map-block.ts";
import { MapErrno } from "./map-error.ts";

/** Makes the one that fits a map. */
export function makeStore(block: MapBlock): ElementStore {
  switch (block.kind.shape) {
    case "array":
      return new ArrayStore(block);
    case "hash":
    case "trie":
      return new KeyedStore(block);
    case "queue":
      return new QueueStore(block);
    case "bloom":
      return new BloomStore(block);
    default:
      return recordStore;
  }
}

/** Maps of records have no elements. */
const recordStore: ElementStore = {
  lookup: () => -MapErrno.ENOTSUPP,
  update: () => -MapErrno.ENOTSUPP,
  delete: () => -MapErrno.ENOTSUPP,
  take: () => -MapErrno.ENOTSUPP,
  next: () => -MapErrno.ENOTSUPP,
};
