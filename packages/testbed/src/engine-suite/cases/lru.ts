// SPDX-License-Identifier: Apache-2.0

import { equal, ok } from "../assert.ts";
import type { EngineCase } from "../engine-case.ts";

interface Value {
  readonly packets: bigint;
  readonly balance: number;
  readonly name: string;
}

const valueWith = (packets: number): Value => ({ packets: BigInt(packets), balance: 0, name: "" });

/** Maps that make room by themselves. Which entry goes is the engine's choice: the kernel's lists are approximate. */
export const lruCases: readonly EngineCase[] = [
  {
    name: "LRU hash: it takes any number of keys and keeps the newest",
    run(context) {
      const map = context.map<number, Value>("lru_hash");
      for (let key = 0; key < 1000; key++) {
        map.update(key, valueWith(key));
        equal(map.lookup(key), valueWith(key), `the value of ${key}, just put in`);
      }
      const keys = [...map.keys()];
      ok(keys.length > 0 && keys.length <= 64, `${keys.length} entries in a map of 64`);
      ok(
        keys.every((key) => map.lookup(key)?.packets === BigInt(key)),
        "an entry has the value of another",
      );
      equal(map.lookup(0), undefined);
    },
  },
  {
    name: "LRU hash: creating, replacing and deleting are as in a hash",
    run(context) {
      const map = context.map<number, Value>("lru_hash");
      map.update(1, valueWith(1), "create");
      context.refuses("EEXIST", () => map.update(1, valueWith(2), "create"));
      context.refuses("ENOENT", () => map.update(2, valueWith(2), "replace"));
      map.update(1, valueWith(3), "replace");
      equal(map.lookupAndDelete(1), valueWith(3));
      equal(map.delete(1), false);
    },
  },
  {
    name: "LRU hash: entries come by batches",
    run(context) {
      const map = context.map<number, Value>("lru_hash");
      for (let key = 0; key < 20; key++) map.update(key, valueWith(key * 2));
      const entries = [...map.entriesBatch()].sort(([a], [b]) => a - b);
      equal(
        entries.map(([key, { packets }]) => [key, packets]),
        Array.from({ length: 20 }, (_, key) => [key, BigInt(key * 2)]),
      );
    },
  },
  {
    name: "LRU per-CPU hash: it takes any number of keys, with a value for each CPU",
    run(context) {
      const map = context.map<number, Value[]>("lru_percpu_hash");
      const cpus = map.rawValueSize / 24;
      const values = (key: number) => Array.from({ length: cpus }, (_, cpu) => valueWith(key * 100 + cpu));
      for (let key = 0; key < 500; key++) map.update(key, values(key));
      equal(map.lookup(499), values(499));
      const keys = [...map.keys()];
      ok(keys.length > 0 && keys.length <= 64, `${keys.length} entries in a map of 64`);
    },
  },
];
