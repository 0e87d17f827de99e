// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { BatchCursor } from "../bpf-map.ts";
import { TestBtf } from "../columns/btf/btf.test-kit.ts";
import { ClosedError, InvalidValueError } from "../errors.ts";
import type { MapSpec } from "../map-spec.ts";
import { MapType } from "../map-type.ts";
import { MemoryMap } from "./memory-map.ts";

const btf = new TestBtf();
const u32 = btf.int("unsigned int", 4);

function map(type: number, change: Partial<MapSpec> = {}): MemoryMap {
  const sizes = { keySize: 4, valueSize: 4, maxEntries: 3, keyTypeId: u32, valueTypeId: u32 };
  return new MemoryMap({ name: "m", type, flags: 0, extra: 0n, pinning: "none", ...sizes, ...change }, btf, 2);
}

describe("MemoryMap", () => {
  it("is a hash with update modes and a limit", () => {
    const hash = map(MapType.HASH);
    hash.update(1, 10);
    hash.update(2, 20, "create");
    expect(() => hash.update(2, 21, "create")).toThrow("already there");
    expect(() => hash.update(3, 30, "replace")).toThrow("not there");
    hash.update(3, 30);
    expect(() => hash.update(4, 40)).toThrow("full with 3 entries");
    expect([hash.lookup(2), hash.lookup(4)]).toEqual([20, undefined]);
    expect([hash.delete(2), hash.delete(2)]).toEqual([true, false]);
    expect([...hash.entries()]).toEqual([
      [1, 10],
      [3, 30],
    ]);
    expect([...hash.keys()]).toEqual([1, 3]);
    expect(() => hash.update("x", 1)).toThrow('map "m": "x" is not an integer');
  });

  it("is walked key by key, anew from a key that is not there", () => {
    const hash = map(MapType.HASH);
    for (const key of [5, 6, 7]) hash.update(key, 1);
    const key = new Uint8Array(4);
    const walk = (from: Uint8Array | undefined): number | undefined =>
      hash.nextKeyRaw(from, key) ? key[0] : undefined;
    expect([walk(undefined), walk(key), walk(key), walk(key)]).toEqual([5, 6, 7, undefined]);
    expect([walk(Uint8Array.of(6, 0, 0, 0)), walk(Uint8Array.of(9, 0, 0, 0))]).toEqual([7, 5]);
    expect(map(MapType.HASH).nextKeyRaw(undefined, key)).toBe(false);
  });

  it("is an array whose elements are always there", () => {
    const array = map(MapType.ARRAY);
    expect([array.lookup(2), array.lookup(3)]).toEqual([0, undefined]);
    array.update(1, 7);
    expect([...array.entriesBatch()]).toEqual([
      [0, 0],
      [1, 7],
      [2, 0],
    ]);
    expect(() => array.update(3, 1)).toThrow("past its 3 elements");
    expect(() => array.delete(1)).toThrow("cannot be deleted");
  });

  it("gives entries out once, one by one and in batches", () => {
    const hash = map(MapType.HASH);
    for (const key of [1, 2, 3]) hash.update(key, key * 10);
    expect([hash.lookupAndDelete(2), hash.lookupAndDelete(2)]).toEqual([20, undefined]);
    const cursor = new BatchCursor();
    const keys = new Uint32Array(1);
    const values = new Uint32Array(1);
    const taken: number[] = [];
    while (!cursor.done) {
      const count = hash.lookupAndDeleteBatchRaw(cursor, new Uint8Array(keys.buffer), new Uint8Array(values.buffer));
      if (count > 0) taken.push(values[0]!);
    }
    expect(taken).toEqual([10, 30]);
    expect([...hash.keys()]).toEqual([]);
    expect(() => map(MapType.ARRAY).lookupAndDelete(0)).toThrow("cannot be deleted");
  });

  it("shows a data section as memory until that is closed, for reading once it is frozen", () => {
    const data = { section: ".data", contents: Uint8Array.of(1, 0, 0, 0), readOnly: false };
    const section = map(MapType.ARRAY, { maxEntries: 1, data });
    const memory = section.memory();
    memory.bytes[0] = 9;
    expect(section.lookup(0)).toBe(9);
    section.update(0, 11);
    expect(memory.bytes[0]).toBe(11);
    section.freeze();
    expect(() => section.update(0, 12)).toThrow("read-only");
    expect(section.memory().writable).toBe(false);
    memory.close();
    expect(memory.bytes).toHaveLength(0);
    expect(section.lookup(0)).toBe(11);
  });

  it("holds a value a CPU", () => {
    const perCpu = map(MapType.PERCPU_HASH);
    perCpu.update(1, [1, 2]);
    expect(perCpu.lookup(1)).toEqual([1, 2]);
    expect(perCpu.rawValueSize).toBe(16);
  });

  it("drops the least recently used entry of an LRU hash", () => {
    const lru = map(MapType.LRU_HASH);
    for (const key of [1, 2, 3]) lru.update(key, key);
    lru.lookup(1);
    lru.update(4, 4);
    expect([...lru.keys()].sort()).toEqual([1, 3, 4]);
  });

  it("works in batches", () => {
    const hash = map(MapType.HASH);
    const keys = new Uint8Array(new Uint32Array([1, 2, 3, 4]).buffer);
    const values = new Uint8Array(new Uint32Array([10, 20, 30, 40]).buffer);
    expect(hash.updateBatchRaw(keys, values, 4)).toBe(3);
    const cursor = new BatchCursor();
    const found: number[] = [];
    while (!cursor.done) {
      const some = new Uint32Array(2);
      const count = hash.lookupBatchRaw(cursor, new Uint8Array(some.buffer), new Uint8Array(8));
      found.push(...some.subarray(0, count));
    }
    expect(found).toEqual([1, 2, 3]);
    expect(hash.deleteBatchRaw(keys, 4)).toBe(3);
  });

  it("begins with the contents of its data section, which stay when read-only", () => {
    const contents = Uint8Array.of(5, 0, 0, 0);
    const data = map(MapType.ARRAY, { maxEntries: 1, data: { section: ".rodata", contents, readOnly: true } });
    expect(data.lookup(0)).toBe(5);
    expect(() => data.update(0, 6)).toThrow("read-only");
  });

  it("refuses what does not fit and everything after it was closed", () => {
    const hash = map(MapType.HASH);
    expect(() => hash.updateRaw(new Uint8Array(4), new Uint8Array(2))).toThrow("the value is 2 bytes, 4 are wanted");
    expect(() => hash.records()).toThrow(InvalidValueError);
    expect(() => map(MapType.HASH, { valueSize: 8 })).toThrow("its value is declared as 8 bytes, its type has 4");
    expect(() => map(MapType.QUEUE, { keySize: 0, keyTypeId: 0 })).toThrow("map type queue is not supported here");
    hash.close();
    expect(() => hash.lookup(1)).toThrow(ClosedError);
  });
});
