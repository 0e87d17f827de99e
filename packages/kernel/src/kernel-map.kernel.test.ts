// SPDX-License-Identifier: Apache-2.0

import { BatchCursor, type BpfMap, ClosedError, InvalidValueError, type MapSpec, MapType } from "@skep/ebpf";
import { possibleCpus, SystemCallError } from "@skep/linux";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadObject } from "../test-objects/load-object.ts";
import { KernelEngine } from "./kernel-engine.ts";
import type { KernelMap } from "./kernel-map.ts";

interface Key {
  id: number;
  port: number;
}

interface Value {
  packets: bigint;
  balance: number;
  name: string;
}

const cpus = possibleCpus().length;
const value = (i: number): Value => ({ packets: BigInt(i) << 33n, balance: 50 - i, name: `flow ${i}` });
const perCpu = (i: number): Value[] => Array.from({ length: cpus }, (_, cpu) => value(i * 100 + cpu));

const spec = (overrides: Partial<MapSpec>): MapSpec => ({
  name: "test",
  type: MapType.HASH,
  keySize: 4,
  valueSize: 8,
  maxEntries: 64,
  flags: 0,
  extra: 0n,
  pinning: "none",
  keyTypeId: 0,
  valueTypeId: 0,
  ...overrides,
});

function createMap(overrides: Partial<MapSpec>): BpfMap<Uint8Array, Uint8Array> {
  return new KernelEngine().createMap(spec(overrides), undefined, undefined) as BpfMap<Uint8Array, Uint8Array>;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const sortedBy = <T>(entries: Iterable<T>): T[] => [...entries].sort((a, b) => (text(a) < text(b) ? -1 : 1));
const text = (entry: unknown): string =>
  JSON.stringify(entry, (_, each: unknown) => (typeof each === "bigint" ? String(each) : each));

describe.each([
  { name: "hash", key: (i: number): unknown => ({ id: i, port: i + 1 }), value },
  { name: "lru_hash", key: (i: number): unknown => ({ id: i, port: i + 1 }), value },
  { name: "percpu_hash", key: (i: number): unknown => ({ id: i, port: i + 1 }), value: perCpu },
  { name: "lru_percpu_hash", key: (i: number): unknown => ({ id: i, port: i + 1 }), value: perCpu },
  { name: "lpm_trie", key: (i: number): unknown => ({ length: 32, address: bytes(10, 0, 0, i) }), value },
])("a map of type $name", ({ name, key, value }) => {
  it("gives back what was stored, and nothing once it was deleted", () => {
    using object = loadObject("maps");
    const map = object.kernelMap(name);
    expect(map.lookup(key(1))).toBeUndefined();
    map.update(key(1), value(1));
    map.update(key(2), value(2));
    map.update(key(1), value(3));
    expect(map.lookup(key(1))).toEqual(value(3));
    expect(map.lookup(key(2))).toEqual(value(2));
    expect(map.delete(key(1))).toBe(true);
    expect(map.delete(key(1))).toBe(false);
    expect(map.lookup(key(1))).toBeUndefined();
  });

  it("finds the same entries one by one and in batches", () => {
    using object = loadObject("maps");
    const map = object.kernelMap(name);
    const wanted = Array.from({ length: 100 }, (_, i) => [key(i), value(i)]);
    for (const [k, v] of wanted) map.update(k, v);
    expect(sortedBy(map.entries())).toEqual(sortedBy(wanted));
    expect(sortedBy(map.entriesBatch())).toEqual(sortedBy(wanted));
    expect(sortedBy(map.keys())).toEqual(sortedBy(wanted.map(([k]) => k)));
  });
});

describe.each([
  { name: "array", value, empty: (): unknown => ({ packets: 0n, balance: 0, name: "" }) },
  {
    name: "percpu_array",
    value: perCpu,
    empty: (): unknown => perCpu(0).map(() => ({ packets: 0n, balance: 0, name: "" })),
  },
])("a map of type $name", ({ name, value, empty }) => {
  it("has every index from the start and none beyond", () => {
    using object = loadObject("maps");
    const map = object.kernelMap(name);
    expect(map.lookup(0)).toEqual(empty());
    expect(map.lookup(512)).toBeUndefined();
    map.update(511, value(5));
    expect(map.lookup(511)).toEqual(value(5));
    expect([...map.keys()]).toEqual(Array.from({ length: 512 }, (_, i) => i));
    expect([...map.entriesBatch()]).toEqual([...map.entries()]);
  });

  it("refuses to delete and to store beyond its end", () => {
    using object = loadObject("maps");
    const map = object.kernelMap(name);
    expect(() => map.delete(0)).toThrow(`map "${name}": bpf(BPF_MAP_DELETE_ELEM) failed: EINVAL`);
    expect(() => map.update(512, value(1))).toThrow(`map "${name}": bpf(BPF_MAP_UPDATE_ELEM) failed: E2BIG`);
  });
});

describe("a hash map", () => {
  it("creates only what is absent and replaces only what is there", () => {
    using object = loadObject("maps");
    const map = object.kernelMap<Key, Value>("hash");
    const key = { id: 1, port: 1 };
    expect(() => map.update(key, value(1), "replace")).toThrow('map "hash": bpf(BPF_MAP_UPDATE_ELEM) failed: ENOENT');
    map.update(key, value(1), "create");
    expect(() => map.update(key, value(2), "create")).toThrow("EEXIST (exists already)");
    map.update(key, value(3), "replace");
    expect(map.lookup(key)).toEqual(value(3));
  });

  it("says so when it is full", () => {
    using map = createMap({ maxEntries: 2 });
    map.update(bytes(1, 0, 0, 0), new Uint8Array(8));
    map.update(bytes(2, 0, 0, 0), new Uint8Array(8));
    expect(() => map.update(bytes(3, 0, 0, 0), new Uint8Array(8))).toThrow(
      'map "test": bpf(BPF_MAP_UPDATE_ELEM) failed: E2BIG',
    );
  });

  it("is walked key by key as raw bytes, from the first and from one that is not there", () => {
    using map = createMap({});
    const next = new Uint8Array(4);
    expect(map.nextKeyRaw(undefined, next)).toBe(false);
    for (let i = 0; i < 9; i++) map.update(bytes(i, 0, 0, 0), new Uint8Array(8));
    const found: string[] = [];
    for (let more = map.nextKeyRaw(undefined, next); more; more = map.nextKeyRaw(next, next)) found.push(next.join());
    expect(new Set(found).size).toBe(9);
    expect([...map.keys()]).toHaveLength(9);
    expect(map.nextKeyRaw(bytes(77, 0, 0, 0), next)).toBe(true);
    expect(next.join()).toBe(found[0]);
    expect(() => map.nextKeyRaw(undefined, new Uint8Array(1))).toThrow(InvalidValueError);
  });

  it("can be emptied while its keys are iterated", () => {
    using object = loadObject("maps");
    const map = object.kernelMap<Key, Value>("hash");
    for (let i = 0; i < 300; i++) map.update({ id: i, port: 0 }, value(i));
    for (const key of map.keys()) map.delete(key);
    expect([...map.keys()]).toEqual([]);
  });

  it("is worked on by raw bytes without copies", () => {
    using map = createMap({});
    const key = bytes(9, 0, 0, 0);
    const stored = bytes(1, 2, 3, 4, 5, 6, 7, 8);
    const found = new Uint8Array(8);
    expect(map.lookupRaw(key, found)).toBe(false);
    map.updateRaw(key, stored);
    expect(map.lookupRaw(key, found)).toBe(true);
    expect(found).toEqual(stored);
    // Parts of larger buffers, and other arrays than the time before.
    const large = new Uint8Array(64);
    large[32] = 9;
    expect(map.lookupRaw(large.subarray(32, 36), large.subarray(40, 48))).toBe(true);
    expect([...large.subarray(40, 48)]).toEqual([...stored]);
    expect(map.deleteRaw(key)).toBe(true);
    expect(map.deleteRaw(key)).toBe(false);
  });

  it("refuses raw bytes of the wrong size, detached ones too", () => {
    using map = createMap({});
    expect(() => map.lookupRaw(new Uint8Array(12), new Uint8Array(8))).toThrow(
      'map "test": key is 12 bytes, the map holds 4',
    );
    expect(() => map.updateRaw(new Uint8Array(4), new Uint8Array(7))).toThrow(
      'map "test": value is 7 bytes, the map holds 8',
    );
    const key = new Uint8Array(4);
    map.lookupRaw(key, new Uint8Array(8));
    key.buffer.transfer();
    expect(() => map.lookupRaw(key, new Uint8Array(8))).toThrow(InvalidValueError);
  });

  it("reads, writes and deletes in batches of raw bytes", () => {
    using map = createMap({ maxEntries: 5000 });
    const count = 3000;
    const keys = new Uint32Array(count).map((_, i) => i * 7);
    const values = new BigUint64Array(count).map((_, i) => BigInt(i) << 20n);
    expect(map.updateBatchRaw(new Uint8Array(keys.buffer), new Uint8Array(values.buffer), count)).toBe(count);

    const cursor = new BatchCursor();
    const found = new Map<number, bigint>();
    const keyPart = new Uint32Array(1000);
    const valuePart = new BigUint64Array(1000);
    while (!cursor.done) {
      const read = map.lookupBatchRaw(cursor, new Uint8Array(keyPart.buffer), new Uint8Array(valuePart.buffer));
      for (let i = 0; i < read; i++) found.set(keyPart[i]!, valuePart[i]!);
    }
    expect(map.lookupBatchRaw(cursor, new Uint8Array(keyPart.buffer), new Uint8Array(valuePart.buffer))).toBe(0);
    expect(found).toEqual(new Map(Array.from(keys, (key, i) => [key, values[i]!])));

    expect(map.deleteBatchRaw(new Uint8Array(keys.buffer), 2000)).toBe(2000);
    expect([...map.keys()]).toHaveLength(1000);
    // The first of these is gone already.
    expect(map.deleteBatchRaw(new Uint8Array(keys.buffer), 1)).toBe(0);
  });

  it("stops a batch of new entries at the first that exists", () => {
    using map = createMap({});
    map.update(bytes(2, 0, 0, 0), new Uint8Array(8));
    const keys = new Uint8Array(new Uint32Array([0, 1, 2, 3]).buffer);
    expect(map.updateBatchRaw(keys, new Uint8Array(32), 4, "create")).toBe(2);
    expect(() => map.updateBatchRaw(keys.subarray(8), new Uint8Array(16), 2, "create")).toThrow("EEXIST");
    expect([...map.keys()]).toHaveLength(3);
  });

  it("tells how many entries of a batch fitted before it was full", () => {
    using map = createMap({ maxEntries: 3 });
    const keys = new Uint8Array(new Uint32Array([0, 1, 2, 3, 4]).buffer);
    expect(map.updateBatchRaw(keys, new Uint8Array(40), 5)).toBe(3);
    expect(() => map.updateBatchRaw(keys.subarray(12), new Uint8Array(16), 2)).toThrow("E2BIG");
  });

  it("refuses a batch that its arrays do not hold", () => {
    using map = createMap({});
    expect(() => map.updateBatchRaw(new Uint8Array(8), new Uint8Array(24), 3)).toThrow(
      'map "test": keys are 8 bytes, the entries take 12',
    );
    expect(() => map.lookupBatchRaw(new BatchCursor(), new Uint8Array(3), new Uint8Array(80))).toThrow(
      "an entry takes 4 and 8 bytes, 3 and 80 were given",
    );
  });
});

describe("maps without batch commands", () => {
  it("are read in batches all the same", () => {
    // The kernel has no batch commands for stacks of traces, and iterates them by key.
    using map = createMap({ type: MapType.STACK_TRACE, valueSize: 64 });
    expect([...map.entriesBatch()]).toEqual([]);
    const cursor = new BatchCursor();
    expect(map.lookupBatchRaw(cursor, new Uint8Array(40), new Uint8Array(640))).toBe(0);
    expect(cursor.done).toBe(true);
  });
});

describe("an LRU map", () => {
  it("drops old entries instead of refusing new ones", () => {
    using object = loadObject("maps");
    const map = object.kernelMap<Key, Value>("lru_hash");
    for (let i = 0; i < 2000; i++) map.update({ id: i, port: 0 }, value(i));
    const left = [...map.entries()];
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThanOrEqual(512);
    for (const [key, found] of left) expect(found).toEqual(value(key.id));
    expect(map.lookup({ id: 1999, port: 0 })).toEqual(value(1999));
    expect(map.lookup({ id: 0, port: 0 })).toBeUndefined();
  });
});

describe("an LPM trie", () => {
  it("finds the longest prefix", () => {
    using object = loadObject("maps");
    const map = object.kernelMap("lpm_trie");
    map.update({ length: 8, address: bytes(10, 0, 0, 0) }, value(8));
    map.update({ length: 24, address: bytes(10, 1, 2, 0) }, value(24));
    expect(map.lookup({ length: 32, address: bytes(10, 1, 2, 3) })).toEqual(value(24));
    expect(map.lookup({ length: 32, address: bytes(10, 9, 9, 9) })).toEqual(value(8));
    expect(map.lookup({ length: 32, address: bytes(11, 0, 0, 0) })).toBeUndefined();
  });
});

describe("prefixes in an LPM trie", () => {
  const prefix = fc.record({
    length: fc.integer({ min: 0, max: 32 }),
    address: fc.uint8Array({ minLength: 4, maxLength: 4 }),
  });
  const bits = (address: Uint8Array): string => [...address].map((byte) => byte.toString(2).padStart(8, "0")).join("");

  it("are found as a search through all of them finds them", () => {
    using object = loadObject("maps");
    const map = object.kernelMap<{ length: number; address: Uint8Array }, Value>("lpm_trie");
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 40 }), fc.array(prefix, { maxLength: 20 }), (stored, asked) => {
        for (const key of map.keys()) map.delete(key);
        const model = new Map<string, number>();
        for (const [i, key] of stored.entries()) {
          map.update(key, value(i));
          model.set(bits(key.address).slice(0, key.length), i);
        }
        for (const { address } of [...stored, ...asked]) {
          const text = bits(address);
          let wanted: number | undefined;
          for (let length = 0; length <= 32; length++) wanted = model.get(text.slice(0, length)) ?? wanted;
          expect(map.lookup({ length: 32, address })).toEqual(wanted === undefined ? undefined : value(wanted));
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("a per-CPU map", () => {
  it("sums up to what the programs counted on all CPUs", () => {
    using object = loadObject("maps");
    object.run("count_here", 1234);
    const values = object.kernelMap<number, Value[]>("percpu_array").lookup(0);
    expect(values).toHaveLength(cpus);
    expect(values?.reduce((sum, { packets }) => sum + packets, 0n)).toBe(1234n);
  });

  it("has room for one slot of 8 bytes or a multiple for each possible CPU", () => {
    using map = createMap({ type: MapType.PERCPU_ARRAY, valueSize: 5 });
    expect(map.rawValueSize).toBe(8 * cpus);
    expect(() => map.update(new Uint8Array(4), [new Uint8Array(5)] as never)).toThrow(
      cpus === 1 ? undefined : `${cpus} wanted: one a possible CPU`,
    );
  });
});

describe("a data section", () => {
  it("shows its constant to programs and is frozen", () => {
    using object = loadObject("maps", { variables: { constant: 41 } });
    expect(object.run("count_here")).toBe(41);
    const section = object.kernelMap(".rodata");
    expect(() => section.updateRaw(new Uint8Array(4), new Uint8Array(section.rawValueSize))).toThrow("EPERM");
  });
});

describe("creating a map", () => {
  it.each([
    [{ type: MapType.RINGBUF, keySize: 0, valueSize: 0, maxEntries: 5000 }, "a power of two and a multiple of"],
    [{ maxEntries: 0 }, "EINVAL (invalid argument); max_entries is 0"],
    [{ type: MapType.LPM_TRIE, keySize: 8 }, "a map of type lpm_trie needs BPF_F_NO_PREALLOC"],
    [{ type: MapType.ARRAY, keySize: 8 }, "the key of a map of type array is 4 bytes, this one's is 8"],
    [{ type: 77 }, 'map "test": bpf(BPF_MAP_CREATE) failed: EINVAL (invalid argument)'],
  ] satisfies [Partial<MapSpec>, string][])("explains what was wrong with %o", (overrides, message) => {
    expect(() => createMap(overrides)).toThrow(SystemCallError);
    expect(() => createMap(overrides)).toThrow(message);
  });

  it("takes any name", () => {
    using map = createMap({ name: "ein Name, länger als das erlaubte Maß" });
    expect(map.spec.name).toBe("ein Name, länger als das erlaubte Maß");
  });

  it("gives a perf event array an entry for each possible CPU", () => {
    using map = createMap({ type: MapType.PERF_EVENT_ARRAY, keySize: 0, valueSize: 0, maxEntries: 0 });
    expect(map.spec).toMatchObject({ keySize: 4, valueSize: 4, maxEntries: cpus });
  });
});

describe("a closed map", () => {
  it("refuses every operation", () => {
    const map = createMap({});
    const iteration = map.keys();
    map.close();
    map.close();
    const key = new Uint8Array(4);
    const value = new Uint8Array(8);
    for (const use of [
      () => map.lookup(key),
      () => map.update(key, value),
      () => map.delete(key),
      () => iteration.next(),
      () => [...map.entries()],
      () => [...map.entriesBatch()],
      () => map.lookupRaw(key, value),
      () => map.updateRaw(key, value),
      () => map.deleteRaw(key),
      () => map.lookupBatchRaw(new BatchCursor(), key, value),
      () => map.updateBatchRaw(key, value, 1),
      () => map.deleteBatchRaw(key, 1),
      () => map.lookupAndDelete(key),
      () => map.lookupAndDeleteRaw(key, value),
      () => map.lookupAndDeleteBatchRaw(new BatchCursor(), key, value),
      () => map.freeze(),
      () => map.memory(),
      () => (map as KernelMap).info(),
      () => (map as KernelMap).pin("/nowhere"),
      () => (map as KernelMap).writer(),
      () => map.records(),
    ]) {
      expect(use).toThrow(new ClosedError('map "test"'));
    }
  });
});

describe("a closed engine", () => {
  it("makes nothing more", () => {
    const engine = new KernelEngine();
    engine.close();
    expect(() => engine.createMap(spec({}), undefined, undefined)).toThrow("kernel engine is closed");
  });
});
