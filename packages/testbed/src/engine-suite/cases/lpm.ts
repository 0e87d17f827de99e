// SPDX-License-Identifier: Apache-2.0

import { BatchCursor } from "@skep/ebpf";
import { equal } from "../assert.ts";
import type { CaseContext } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";

interface Prefix {
  readonly length: number;
  readonly address: Uint8Array;
}

const prefix = (length: number, ...address: number[]): Prefix => ({ length, address: Uint8Array.from(address) });
const trie = (context: CaseContext) => context.map<Prefix, number>("lpm_trie");
const host = (...address: number[]): Prefix => prefix(32, ...address);

/** Tries of prefixes, from outside. */
export const lpmCases: readonly EngineCase[] = [
  {
    name: "LPM trie: the longest prefix wins",
    needs: ["lpm"],
    run(context) {
      const map = trie(context);
      map.update(prefix(8, 10, 0, 0, 0), 8);
      map.update(prefix(16, 10, 1, 0, 0), 16);
      map.update(prefix(32, 10, 1, 2, 3), 32);
      equal(map.lookup(host(10, 1, 2, 3)), 32);
      equal(map.lookup(host(10, 1, 2, 4)), 16);
      equal(map.lookup(host(10, 2, 0, 1)), 8);
      equal(map.lookup(host(11, 0, 0, 1)), undefined);
      equal(map.lookup(prefix(8, 10, 1, 2, 3)), 8, "what a key of 8 bits finds");
    },
  },
  {
    name: "LPM trie: the prefix of no bits is everywhere",
    needs: ["lpm"],
    run(context) {
      const map = trie(context);
      map.update(prefix(0, 0, 0, 0, 0), 1);
      map.update(prefix(1, 128, 0, 0, 0), 2);
      equal(map.lookup(host(1, 2, 3, 4)), 1);
      equal(map.lookup(host(200, 0, 0, 0)), 2);
    },
  },
  {
    name: "LPM trie: deleting a prefix shows the one below it, and takes an exact prefix only",
    needs: ["lpm"],
    run(context) {
      const map = trie(context);
      map.update(prefix(8, 10, 0, 0, 0), 8);
      map.update(prefix(24, 10, 1, 2, 0), 24);
      equal(map.delete(prefix(16, 10, 1, 0, 0)), false);
      equal(map.delete(prefix(24, 10, 1, 2, 0)), true);
      equal(map.lookup(host(10, 1, 2, 3)), 8);
      equal(map.delete(prefix(8, 10, 0, 0, 0)), true);
      equal(map.lookup(host(10, 1, 2, 3)), undefined);
      equal([...map.keys()], []);
    },
  },
  {
    name: "LPM trie: bits past the length do not count",
    needs: ["lpm"],
    run(context) {
      const map = trie(context);
      map.update(prefix(8, 10, 1, 2, 3), 1);
      map.update(prefix(8, 10, 9, 9, 9), 2);
      equal(map.lookup(host(10, 5, 5, 5)), 2);
      equal([...map.keys()].length, 1, "the number of prefixes");
    },
  },
  {
    name: "LPM trie: a walk comes to each prefix once",
    needs: ["lpm"],
    run(context) {
      const map = trie(context);
      const prefixes = [
        prefix(0, 0, 0, 0, 0),
        prefix(8, 10, 0, 0, 0),
        prefix(16, 10, 1, 0, 0),
        prefix(9, 10, 128, 0, 0),
      ];
      for (const [index, each] of prefixes.entries()) map.update(each, index);
      const found = [...map.entries()].sort(([, a], [, b]) => a - b);
      equal(
        found,
        prefixes.map((each, index) => [each, index]),
      );
      const cursor = new BatchCursor();
      let count = 0;
      while (!cursor.done) count += map.lookupBatchRaw(cursor, new Uint8Array(8 * 4), new Uint8Array(4 * 4));
      equal(count, 4, "the number of entries in batches");
    },
  },
  {
    name: "LPM trie: a full map fails with ENOSPC, a prefix that is too long with EINVAL",
    needs: ["lpm"],
    run(context) {
      const map = trie(context);
      context.refuses("EINVAL", () => map.update(prefix(33, 10, 0, 0, 0), 1));
      equal(map.lookup(prefix(33, 10, 0, 0, 0)), undefined);
      for (let i = 0; i < 4; i++) map.update(prefix(8, i, 0, 0, 0), i);
      context.refuses("ENOSPC", () => map.update(prefix(8, 4, 0, 0, 0), 4));
      map.update(prefix(8, 1, 0, 0, 0), 10);
      equal(map.lookup(host(1, 1, 1, 1)), 10);
    },
  },
  {
    name: "LPM trie: creating and replacing heed what is there",
    needs: ["lpm"],
    run(context) {
      const map = trie(context);
      map.update(prefix(8, 10, 0, 0, 0), 1, "create");
      context.refuses("EEXIST", () => map.update(prefix(8, 10, 0, 0, 0), 2, "create"));
      context.refuses("ENOENT", () => map.update(prefix(9, 10, 0, 0, 0), 2, "replace"));
      map.update(prefix(8, 10, 0, 0, 0), 3, "replace");
      equal(map.lookup(host(10, 0, 0, 1)), 3);
    },
  },
];
