// SPDX-License-Identifier: Apache-2.0

import { BatchCursor, ClosedError, InvalidValueError } from "@skep/ebpf";
import { equal, ok, throwsA } from "../assert.ts";
import { readU32, readU64, u32, u64 } from "../bytes.ts";
import type { CaseContext } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";

interface Key {
  readonly id: number;
  readonly port: number;
}

interface Value {
  readonly packets: bigint;
  readonly balance: number;
  readonly name: string;
}

const keyOf = (id: number): Key => ({ id, port: 1 });
const valueWith = (packets: bigint, name = ""): Value => ({ packets, balance: -1, name });
const hash = (context: CaseContext, maxEntries = 64) => context.map<Key, Value>("hash", { maxEntries });
const numbers = (context: CaseContext) => context.map<number, bigint>("numbers");

/** The map `numbers` with `count` entries: 3 times `i` holds `i`. */
function filled(context: CaseContext, count: number) {
  const map = numbers(context);
  for (let i = 0; i < count; i++) map.update(i * 3, BigInt(i));
  return map;
}

/** What is read by batches of at most `room` entries, by key. */
function collect(room: number, read: (cursor: BatchCursor, keys: Uint8Array, values: Uint8Array) => number) {
  const [keys, values] = [new Uint8Array(room * 4), new Uint8Array(room * 8)];
  const found: [number, bigint][] = [];
  const cursor = new BatchCursor();
  while (!cursor.done) {
    const count = read(cursor, keys, values);
    for (let i = 0; i < count; i++) found.push([readU32(keys, i * 4), readU64(values, i * 8)]);
  }
  return found.sort(([a], [b]) => a - b);
}

const triples = (count: number) => Array.from({ length: count }, (_, i): [number, bigint] => [i * 3, BigInt(i)]);

/** Hash maps, from outside. */
export const hashCases: readonly EngineCase[] = [
  {
    name: "hash: a value comes back as it was put in, whatever its types",
    run(context) {
      const map = hash(context);
      const value = { packets: 2n ** 64n - 1n, balance: -(2 ** 31), name: "twelve bytes" };
      map.update({ id: 1, port: 65_535 }, value);
      equal(map.lookup({ id: 1, port: 65_535 }), value);
    },
  },
  {
    name: "hash: a key that is absent gives undefined, and deleting it false",
    run(context) {
      const map = hash(context);
      map.update(keyOf(1), valueWith(1n));
      equal(map.lookup(keyOf(2)), undefined);
      equal(map.delete(keyOf(2)), false);
      equal(map.delete(keyOf(1)), true);
      equal(map.delete(keyOf(1)), false);
      equal(map.lookup(keyOf(1)), undefined);
    },
  },
  {
    name: "hash: creating what is there fails with EEXIST and changes nothing",
    run(context) {
      const map = hash(context);
      map.update(keyOf(1), valueWith(1n), "create");
      context.refuses("EEXIST", () => map.update(keyOf(1), valueWith(2n), { mode: "create" }));
      equal(map.lookup(keyOf(1)), valueWith(1n));
    },
  },
  {
    name: "hash: replacing what is not there fails with ENOENT and adds nothing",
    run(context) {
      const map = hash(context);
      context.refuses("ENOENT", () => map.update(keyOf(1), valueWith(2n), "replace"));
      equal([...map.keys()], []);
      map.update(keyOf(1), valueWith(1n));
      map.update(keyOf(1), valueWith(2n), "replace");
      equal(map.lookup(keyOf(1)), valueWith(2n));
    },
  },
  {
    name: "hash: a full map refuses a new key with E2BIG and takes a new value",
    run(context) {
      const map = hash(context, 4);
      for (let id = 0; id < 4; id++) map.update(keyOf(id), valueWith(BigInt(id)));
      context.refuses("E2BIG", () => map.update(keyOf(4), valueWith(4n)));
      map.update(keyOf(2), valueWith(20n));
      equal(map.lookup(keyOf(2))?.packets, 20n);
      map.delete(keyOf(0));
      map.update(keyOf(4), valueWith(4n));
      equal([...map.keys()].map(({ id }) => id).sort(), [1, 2, 3, 4]);
    },
  },
  {
    name: "hash: taking an entry out gives it once",
    run(context) {
      const map = hash(context);
      map.update(keyOf(1), valueWith(5n, "x"));
      equal(map.lookupAndDelete(keyOf(1)), valueWith(5n, "x"));
      equal(map.lookupAndDelete(keyOf(1)), undefined);
      equal([...map.entries()], []);
    },
  },
  {
    name: "hash: keys and entries show each entry once",
    run(context) {
      const map = filled(context, 200);
      const sorted = [...map.keys()].sort((a, b) => a - b);
      equal(
        sorted,
        triples(200).map(([key]) => key),
      );
      equal(
        [...map.entries()].sort(([a], [b]) => a - b),
        triples(200),
      );
    },
  },
  {
    name: "hash: a walk by raw keys comes to each key and ends",
    run(context) {
      const map = filled(context, 50);
      const seen = new Set<number>();
      const key = new Uint8Array(4);
      for (let more = map.nextKeyRaw(undefined, key); more; more = map.nextKeyRaw(key, key)) {
        ok(!seen.has(readU32(key, 0)), `the walk came to ${readU32(key, 0)} twice`);
        seen.add(readU32(key, 0));
      }
      equal(seen.size, 50, "the number of keys");
      equal(numbers(context).nextKeyRaw(undefined, key), false, "the first key of an empty map");
    },
  },
  {
    name: "hash: after a key that is not there comes the first",
    run(context) {
      const map = filled(context, 10);
      const [first, next] = [new Uint8Array(4), new Uint8Array(4)];
      ok(map.nextKeyRaw(undefined, first), "there is no first key");
      ok(map.nextKeyRaw(u32(1), next), "there is no key after one that is absent");
      equal(next, first);
    },
  },
  {
    name: "hash: raw bytes are those of C",
    run(context) {
      const map = hash(context);
      map.update({ id: 0x01020304, port: 0x0506 }, { packets: 7n, balance: -2, name: "ab" });
      const value = new Uint8Array(24);
      equal(map.rawValueSize, 24);
      ok(map.lookupRaw(Uint8Array.of(4, 3, 2, 1, 6, 5, 0, 0), value), "the raw key is not there");
      equal(
        value,
        Uint8Array.from([7, 0, 0, 0, 0, 0, 0, 0, 254, 255, 255, 255, 97, 98, ...new Array<number>(10).fill(0)]),
      );
      equal(map.lookupRaw(new Uint8Array(8), value), false);
      equal(map.deleteRaw(Uint8Array.of(4, 3, 2, 1, 6, 5, 0, 0)), true);
      equal(map.deleteRaw(Uint8Array.of(4, 3, 2, 1, 6, 5, 0, 0)), false);
    },
  },
  {
    name: "hash: raw updates and raw taking out are seen by typed lookups",
    run(context) {
      const map = numbers(context);
      map.updateRaw(u32(9), u64(90n), "create");
      equal(map.lookup(9), 90n);
      const value = new Uint8Array(8);
      equal(map.lookupAndDeleteRaw(u32(9), value), true);
      equal(value, u64(90n));
      equal(map.lookupAndDeleteRaw(u32(9), value), false);
      equal(map.lookup(9), undefined);
    },
  },
  {
    name: "hash: raw operations work on a part of a larger array",
    run(context) {
      const map = numbers(context);
      const room = new Uint8Array(64).fill(0xee);
      room.set(u32(5), 4);
      room.set(u64(50n), 16);
      map.updateRaw(room.subarray(4, 8), room.subarray(16, 24));
      ok(map.lookupRaw(room.subarray(4, 8), room.subarray(32, 40)), "the key is not there");
      equal(readU64(room, 32), 50n);
      equal(room[31], 0xee, "the byte before");
      equal(room[40], 0xee, "the byte after");
    },
  },
  {
    name: "hash: keys and values of a wrong size are refused before anything happens",
    run(context) {
      const map = numbers(context);
      for (const [key, value] of [
        [3, 8],
        [5, 8],
        [4, 7],
        [4, 16],
        [0, 8],
      ] as const) {
        throwsA(InvalidValueError, () => map.updateRaw(new Uint8Array(key), new Uint8Array(value)));
        throwsA(InvalidValueError, () => map.lookupRaw(new Uint8Array(key), new Uint8Array(value)));
        throwsA(InvalidValueError, () => map.lookupAndDeleteRaw(new Uint8Array(key), new Uint8Array(value)));
      }
      throwsA(InvalidValueError, () => map.deleteRaw(new Uint8Array(3)));
      throwsA(InvalidValueError, () => map.nextKeyRaw(new Uint8Array(3), new Uint8Array(4)));
      throwsA(InvalidValueError, () => map.nextKeyRaw(undefined, new Uint8Array(3)));
      equal([...map.keys()], []);
    },
  },
  {
    name: "hash: values that do not fit are refused, and what was there stays",
    run(context) {
      const map = hash(context);
      map.update(keyOf(1), valueWith(1n));
      throwsA(InvalidValueError, () => map.update(keyOf(1), { ...valueWith(2n), packets: 2n ** 64n }));
      throwsA(InvalidValueError, () => map.update(keyOf(1), { ...valueWith(2n), name: "more than twelve" }));
      throwsA(InvalidValueError, () => map.update(keyOf(1), { packets: 1n } as Value));
      throwsA(InvalidValueError, () => map.update(keyOf(1), { ...valueWith(2n), more: 1 } as Value));
      throwsA(InvalidValueError, () => map.update({ id: -1, port: 0 }, valueWith(2n)));
      throwsA(InvalidValueError, () => map.lookup({ id: 1, port: 65_536 }));
      equal([...map.entries()], [[keyOf(1), valueWith(1n)]]);
    },
  },
  {
    name: "hash: batches write and read every entry once",
    run(context) {
      const map = numbers(context);
      const keys = u32(...triples(1000).map(([key]) => key));
      const values = u64(...triples(1000).map(([, value]) => value));
      equal(map.updateBatchRaw(keys, values, 1000), 1000);
      equal(
        collect(300, (cursor, k, v) => map.lookupBatchRaw(cursor, k, v)),
        triples(1000),
      );
      equal([...map.entriesBatch()].length, 1000, "the number of entries");
    },
  },
  {
    name: "hash: entries read by batches are those read one by one",
    run(context) {
      const map = hash(context);
      for (let id = 0; id < 40; id++) map.update(keyOf(id), valueWith(BigInt(id), `n${id}`));
      const byId = (entries: Iterable<[Key, Value]>) => [...entries].sort(([a], [b]) => a.id - b.id);
      equal(byId(map.entriesBatch()), byId(map.entries()));
      equal(byId(map.entriesBatch())[39], [keyOf(39), valueWith(39n, "n39")]);
    },
  },
  {
    name: "hash: taking out by batches empties the map and loses nothing",
    run(context) {
      const map = filled(context, 700);
      equal(
        collect(200, (cursor, k, v) => map.lookupAndDeleteBatchRaw(cursor, k, v)),
        triples(700),
      );
      equal([...map.keys()], []);
    },
  },
  {
    name: "hash: an empty map has no batch",
    run(context) {
      const cursor = new BatchCursor();
      equal(numbers(context).lookupBatchRaw(cursor, new Uint8Array(40), new Uint8Array(80)), 0);
      equal(cursor.done, true);
    },
  },
  {
    name: "hash: deleting a batch ends at the first key that is absent",
    run(context) {
      const map = filled(context, 10);
      equal(map.deleteBatchRaw(u32(0, 3, 6), 3), 3);
      equal(map.deleteBatchRaw(u32(9, 12, 1, 15), 4), 2);
      equal(
        [...map.keys()].sort((a, b) => a - b),
        [15, 18, 21, 24, 27],
      );
    },
  },
  {
    name: "hash: creating a batch ends at the first key that is there",
    run(context) {
      const map = numbers(context);
      map.update(3, 30n);
      equal(map.updateBatchRaw(u32(1, 2, 3, 4), u64(1n, 2n, 3n, 4n), 4, "create"), 2);
      equal(map.lookup(3), 30n);
      equal(map.lookup(4), undefined);
      context.refuses("EEXIST", () => map.updateBatchRaw(u32(3), u64(3n), 1, "create"));
    },
  },
  {
    name: "hash: batches with too little room are refused",
    run(context) {
      const map = numbers(context);
      throwsA(InvalidValueError, () => map.updateBatchRaw(u32(1), u64(1n, 2n), 2));
      throwsA(InvalidValueError, () => map.updateBatchRaw(u32(1, 2), u64(1n), 2));
      throwsA(InvalidValueError, () => map.deleteBatchRaw(u32(1), 2));
      throwsA(InvalidValueError, () => map.lookupBatchRaw(new BatchCursor(), new Uint8Array(3), new Uint8Array(8)));
      equal([...map.keys()], []);
    },
  },
  {
    name: "hash: a value's lock is held while it is read and written, and kept out of sight",
    needs: ["lock"],
    run(context) {
      const map = context.map<number, { lock: { val: number }; left: number; right: number }>("locked");
      const value = { lock: { val: 0 }, left: 3, right: 4 };
      map.update(1, value);
      map.update(1, { ...value, left: 5 }, { mode: "replace", lock: true });
      equal(map.lookup(1, { lock: true }), { ...value, left: 5 });
      map.updateRaw(u32(1), u32(77, 6, 7), { lock: true });
      equal(map.lookup(1), { lock: { val: 0 }, left: 6, right: 7 });
      context.refuses("EEXIST", () => map.update(1, value, { mode: "create", lock: true }));
    },
  },
  {
    name: "hash: only values with a lock can be read under one",
    needs: ["lock"],
    run(context) {
      const map = numbers(context);
      map.update(1, 1n);
      context.refuses("EINVAL", () => map.lookup(1, { lock: true }));
      context.refuses("EINVAL", () => map.update(1, 2n, { lock: true }));
      equal(map.lookup(1), 1n);
    },
  },
  {
    name: "hash: entries may be deleted while they are walked over",
    run(context) {
      const map = filled(context, 100);
      for (const key of map.keys()) map.delete(key);
      // A walk may begin anew where a key went away, so that none is missed for ever.
      for (const key of map.keys()) map.delete(key);
      equal([...map.keys()], []);
    },
  },
  {
    name: "hash: whatever is done to a closed map throws ClosedError",
    run(context) {
      const map = numbers(context);
      map.update(1, 1n);
      map.close();
      map.close();
      const [key, value] = [new Uint8Array(4), new Uint8Array(8)];
      for (const operation of [
        () => map.lookup(1),
        () => map.update(1, 1n),
        () => map.delete(1),
        () => map.lookupAndDelete(1),
        () => [...map.keys()],
        () => [...map.entries()],
        () => [...map.entriesBatch()],
        () => map.lookupRaw(key, value),
        () => map.updateRaw(key, value),
        () => map.deleteRaw(key),
        () => map.lookupAndDeleteRaw(key, value),
        () => map.nextKeyRaw(undefined, key),
        () => map.lookupBatchRaw(new BatchCursor(), key, value),
        () => map.lookupAndDeleteBatchRaw(new BatchCursor(), key, value),
        () => map.updateBatchRaw(key, value, 1),
        () => map.deleteBatchRaw(key, 1),
        () => map.push(1n),
        () => map.pop(),
        () => map.peek(),
        () => map.has(1n),
        () => map.freeze(),
        () => map.memory(),
        () => map.records(),
      ]) {
        throwsA(ClosedError, operation, String(operation));
      }
    },
  },
];
