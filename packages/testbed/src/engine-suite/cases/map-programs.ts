// SPDX-License-Identifier: Apache-2.0

import { equal, ok } from "../assert.ts";
import type { CaseContext } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";

const ANY = 0n;
const NOEXIST = 1n;
const EXIST = 2n;
const MINUS_ONE = -1n;
const ENOENT = -2n;
const E2BIG = -7n;
const EEXIST = -17n;
const EINVAL = -22n;

/** The programs of `suite-map-programs` that are named, called with variables as arguments. */
function programs(context: CaseContext, ...names: string[]) {
  const collection = context.load("suite-map-programs", { programs: names });
  const call = (program: string, key = 0, value = 0n, flags = 0n): bigint => {
    collection.variable("key").set(key);
    collection.variable("value").set(value);
    collection.variable("flags").set(flags);
    context.run(collection, program);
    return collection.variable<bigint>("result").get();
  };
  const found = () => collection.variable<bigint>("found").get();
  return { collection, call, found };
}

const operations = (map: string) => [`update_${map}`, `lookup_${map}`, `delete_${map}`, `add_${map}`];

/** What programs do to maps. */
export const mapProgramCases: readonly EngineCase[] = [
  {
    name: "a program and a hash: update, lookup, delete and their errors",
    run(context) {
      const { collection, call, found } = programs(context, ...operations("hash"));
      equal(call("lookup_hash", 1), MINUS_ONE);
      equal(call("update_hash", 1, 10n, EXIST), ENOENT);
      equal(call("update_hash", 1, 10n, NOEXIST), 0n);
      equal(call("update_hash", 1, 11n, NOEXIST), EEXIST);
      equal(call("update_hash", 1, 11n, 9n), EINVAL);
      equal(call("lookup_hash", 1), 0n);
      equal(found(), 10n);
      call("add_hash", 1, 5n);
      equal(collection.map("hash").lookup(1), 15n);
      equal(call("delete_hash", 1), 0n);
      equal(call("delete_hash", 1), ENOENT);
    },
  },
  {
    name: "a program and a hash: a full one refuses new keys",
    run(context) {
      const { collection, call } = programs(context, "update_hash");
      for (let key = 0; key < 8; key++) equal(call("update_hash", key, 1n, ANY), 0n);
      equal(call("update_hash", 8, 1n, ANY), E2BIG);
      equal(call("update_hash", 7, 2n, ANY), 0n);
      equal([...collection.map("hash").keys()].length, 8);
    },
  },
  {
    name: "a program and an array: update, lookup and their errors",
    run(context) {
      const { collection, call, found } = programs(context, ...operations("array"));
      equal(call("lookup_array", 7), 0n);
      equal(call("lookup_array", 8), MINUS_ONE);
      equal(call("lookup_array", 2 ** 32 - 1), MINUS_ONE);
      equal(call("update_array", 7, 70n, EXIST), 0n);
      equal(call("update_array", 7, 71n, NOEXIST), EEXIST);
      equal(call("update_array", 8, 1n), E2BIG);
      equal(call("delete_array", 7), EINVAL);
      equal(call("lookup_array", 7), 0n);
      equal(found(), 70n);
      equal(collection.map("array").lookup(7), 70n);
    },
  },
  {
    name: "a program and a per-CPU array: it counts on the CPU that it runs on",
    run(context) {
      const { collection, call } = programs(context, "add_percpu_array");
      for (let i = 0; i < 5; i++) call("add_percpu_array", 3, 2n);
      const values = collection.map<number, bigint[]>("percpu_array").lookup(3) ?? [];
      equal(
        values.reduce((sum, value) => sum + value, 0n),
        10n,
      );
      equal(collection.map<number, bigint[]>("percpu_array").lookup(2), new Array(values.length).fill(0n));
    },
  },
  {
    name: "a program and a per-CPU array: it reads the value of another CPU",
    run(context) {
      const { collection, call, found } = programs(context, "lookup_percpu");
      const map = collection.map<number, bigint[]>("percpu_array");
      const cpus = map.lookup(1)?.length ?? 0;
      map.update(
        1,
        Array.from({ length: cpus }, (_, cpu) => BigInt(cpu + 50)),
      );
      for (let cpu = 0; cpu < cpus; cpu++) {
        equal(call("lookup_percpu", 1, 0n, BigInt(cpu)), 0n);
        equal(found(), BigInt(cpu + 50));
      }
      equal(call("lookup_percpu", 1, 0n, 100_000n), MINUS_ONE);
      equal(call("lookup_percpu", 8, 0n, 0n), MINUS_ONE);
    },
  },
  {
    name: "a program and a per-CPU hash: a new entry is of its CPU, and zero for the others",
    run(context) {
      const { collection, call } = programs(context, ...operations("percpu_hash"));
      equal(call("update_percpu_hash", 1, 6n), 0n);
      equal(call("update_percpu_hash", 1, 7n, NOEXIST), EEXIST);
      const values = collection.map<number, bigint[]>("percpu_hash").lookup(1) ?? [];
      equal(
        values.toSorted((a, b) => Number(a - b)),
        [...new Array<bigint>(values.length - 1).fill(0n), 6n],
      );
      equal(call("delete_percpu_hash", 1), 0n);
      equal(call("lookup_percpu_hash", 1), MINUS_ONE);
    },
  },
  {
    name: "a program and an LRU hash: it never fills up",
    run(context) {
      const { collection, call } = programs(context, "update_lru_hash");
      for (let key = 0; key < 300; key++) equal(call("update_lru_hash", key, BigInt(key)), 0n);
      const entries = [...collection.map<number, bigint>("lru_hash").entries()];
      ok(entries.length > 0 && entries.length <= 64, `${entries.length} entries in a map of 64`);
      ok(
        entries.every(([key, value]) => BigInt(key) === value),
        "an entry has the value of another",
      );
    },
  },
  {
    name: "a program and a trie: it finds the longest prefix, and adds one",
    run(context) {
      const { collection, call, found } = programs(context, "lookup_lpm", "update_lpm");
      const map = collection.map<{ length: number; address: number }, bigint>("lpm_trie");
      map.update({ length: 8, address: 10 }, 8n);
      const address = 10 + 1 * 256 + 2 * 65_536;
      equal(call("lookup_lpm", address), 0n);
      equal(found(), 8n);
      equal(call("update_lpm", 10 + 256, 16n, 16n), 0n);
      call("lookup_lpm", address);
      equal(found(), 16n);
      equal(call("lookup_lpm", 11), MINUS_ONE);
      equal(call("update_lpm", 0, 0n, 33n), EINVAL);
      equal([...map.keys()].length, 2);
    },
  },
  {
    name: "a program and a lock: it changes two fields together",
    run(context) {
      const { collection, call } = programs(context, "transfer");
      const map = collection.map<number, object>("balances");
      map.update(1, { lock: { val: 0 }, left: 100, right: 0 });
      call("transfer", 1, 30n);
      equal(map.lookup(1, { lock: true }), { lock: { val: 0 }, left: 70, right: 30 });
    },
  },
  {
    name: "bpf_for_each_map_elem: it comes to each entry of a hash, and ends when it is told",
    run(context) {
      const { collection, call } = programs(context, "each_hash");
      const map = collection.map<number, bigint>("hash");
      for (let key = 1; key <= 6; key++) map.update(key, BigInt(key * 100));
      equal(call("each_hash"), 6n);
      equal(collection.variable("sum_of_keys").get(), 21n);
      equal(collection.variable("sum_of_values").get(), 2100n);
      equal(call("each_hash", 0, 1n), 1n);
    },
  },
  {
    name: "bpf_for_each_map_elem: it comes to each element of an array in order",
    run(context) {
      const { collection, call } = programs(context, "each_array", "each_percpu_array");
      const map = collection.map<number, bigint>("array");
      for (let key = 0; key < 8; key++) map.update(key, BigInt(key));
      equal(call("each_array"), 8n);
      equal(collection.variable("sum_of_values").get(), 28n);
      equal(call("each_array", 0, 3n), 3n);
      equal(collection.variable("sum_of_keys").get(), 3n);
      equal(call("each_percpu_array"), 8n);
      equal(collection.variable("sum_of_values").get(), 0n);
    },
  },
  {
    name: "bpf_for_each_map_elem: the callback may delete what it was given",
    run(context) {
      const { collection, call } = programs(context, "remove_odd");
      const map = collection.map<number, bigint>("hash");
      for (let key = 0; key < 8; key++) map.update(key, BigInt(key));
      equal(call("remove_odd"), 8n);
      equal([...map.keys()].sort(), [0, 2, 4, 6]);
    },
  },
  {
    name: "maps: an object uses those that it is given, and leaves them open",
    run(context) {
      const first = context.load("suite-map-programs", { programs: ["update_hash"] });
      const hash = first.map<number, bigint>("hash");
      const second = context.load("suite-map-programs", {
        programs: ["add_hash"],
        maps: new Map([["hash", hash as never]]),
      });
      hash.update(1, 1n);
      second.variable("key").set(1);
      second.variable("value").set(41n);
      context.run(second, "add_hash");
      second.close();
      equal(hash.lookup(1), 42n);
    },
  },
];
