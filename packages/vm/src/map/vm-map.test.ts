// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import {
  BatchCursor,
  type BpfMap,
  ClosedError,
  InvalidValueError,
  load,
  type MapSpec,
  MapType,
  parseObject,
} from "@skep/ebpf";
import { caseSpec } from "@skep/testbed";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VmEngine } from "../vm-engine.ts";
import { MapError } from "./map-error.ts";
import type { VmMap } from "./vm-map.ts";

const spec = parseObject(readFileSync(new URL("../../test-objects/map-programs.bpf.o", import.meta.url)));
const packet = { data: new Uint8Array(64) };

type RawMap = VmMap<Uint8Array, Uint8Array>;

function makeMap(engine: VmEngine, wanted: Partial<MapSpec> & { type: number }): RawMap {
  return engine.createMap(caseSpec(wanted), undefined, undefined) as RawMap;
}

function newEngine(): VmEngine {
  return new VmEngine({ memory: 16 << 20 });
}

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: number): Uint8Array => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);

describe("a hash map", () => {
  it("behaves as a Map that takes so many entries", () => {
    using engine = newEngine();
    const key = fc.integer({ min: 0, max: 40 });
    const step = fc.tuple(fc.constantFrom("set", "delete", "get"), key, fc.integer({ min: 0, max: 1 << 30 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.constantFrom(1, 4, 9, 20), (steps, keySize) => {
        using map = makeMap(engine, { type: MapType.HASH, keySize, maxEntries: 16 });
        const model = new Map<number, number>();
        const bytes = (number: number): Uint8Array => new Uint8Array(keySize).fill(number);
        for (const [what, number, value] of steps) {
          if (what === "delete") expect(map.delete(bytes(number))).toBe(model.delete(number));
          else if (what === "get") {
            const wanted = model.get(number);
            expect(map.lookup(bytes(number))).toEqual(wanted === undefined ? undefined : u64(wanted));
          } else if (model.size === 16 && !model.has(number)) {
            expect(() => map.update(bytes(number), u64(value))).toThrow("E2BIG");
          } else {
            model.set(number, value);
            map.update(bytes(number), u64(value));
          }
        }
        const wanted = [...model].map(([number, value]) => [bytes(number), u64(value)]);
        expect(new Set([...map.entries()].map(String))).toEqual(new Set(wanted.map(String)));
        expect(new Set([...map.entriesBatch()].map(String))).toEqual(new Set(wanted.map(String)));
      }),
      { numRuns: 60 },
    );
  });
});

describe("batches of a hash map", () => {
  it("give every entry exactly once, and leave none when they take", () => {
    using engine = newEngine();
    using map = makeMap(engine, { type: MapType.HASH, maxEntries: 4000 });
    const keys = new Uint32Array(3000).map((_, i) => i * 3);
    const values = new BigUint64Array(3000).map((_, i) => BigInt(i));
    map.updateBatchRaw(new Uint8Array(keys.buffer), new Uint8Array(values.buffer), 3000);
    const wanted = Array.from(keys, (key, i) => [key, BigInt(i)]);
    for (const take of [false, true]) {
      const cursor = new BatchCursor();
      const found: [number, bigint][] = [];
      const someKeys = new Uint32Array(700);
      const someValues = new BigUint64Array(700);
      while (!cursor.done) {
        const [k, v] = [new Uint8Array(someKeys.buffer), new Uint8Array(someValues.buffer)];
        const count = take ? map.lookupAndDeleteBatchRaw(cursor, k, v) : map.lookupBatchRaw(cursor, k, v);
        for (let i = 0; i < count; i++) found.push([someKeys[i] ?? -1, someValues[i] ?? -1n]);
      }
      expect(found.sort(([a], [b]) => a - b)).toEqual(wanted);
    }
    expect([...map.keys()]).toEqual([]);
    expect(() => map.lookupBatchRaw(new BatchCursor(), new Uint8Array(3), new Uint8Array(8))).toThrow(
      "3 and 8 were given",
    );
  });
});

describe("a trie", () => {
  it("finds what a search through all prefixes finds", () => {
    using engine = newEngine();
    const prefix = fc.tuple(fc.integer({ min: 0, max: 16 }), fc.integer({ min: 0, max: 0xffff }));
    const step = fc.tuple(fc.constantFrom("set", "set", "delete"), prefix, fc.integer({ min: 1, max: 1 << 30 }));
    const keyOf = (length: number, bits: number): Uint8Array => Uint8Array.of(length, 0, 0, 0, bits >> 8, bits & 0xff);
    const masked = (length: number, bits: number): number =>
      length === 0 ? 0 : (bits >> (16 - length)) << (16 - length);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(fc.integer({ min: 0, max: 0xffff })), (steps, probes) => {
        using map = makeMap(engine, { type: MapType.LPM_TRIE, keySize: 6, maxEntries: 100, flags: 1 });
        const model = new Map<string, number>();
        for (const [what, [length, bits], value] of steps) {
          const name = `${length}/${masked(length, bits)}`;
          if (what === "set") {
            map.update(keyOf(length, bits), u64(value));
            model.set(name, value);
          } else expect(map.delete(keyOf(length, bits))).toBe(model.delete(name));
        }
        expect([...map.keys()]).toHaveLength(model.size);
        for (const bits of [...probes, ...steps.map(([, [, each]]) => each)]) {
          let wanted: number | undefined;
          for (let length = 16; length >= 0 && wanted === undefined; length--) {
            wanted = model.get(`${length}/${masked(length, bits)}`);
          }
          expect(map.lookup(keyOf(16, bits))).toEqual(wanted === undefined ? undefined : u64(wanted));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("an LRU map", () => {
  it("holds as many entries as it was made for, the newest among them", () => {
    using engine = newEngine();
    using map = makeMap(engine, { type: MapType.LRU_HASH, maxEntries: 10 });
    for (let i = 0; i < 1000; i++) map.update(u32(i), u64(i));
    const keys = [...map.keys()].map((key) => new DataView(key.buffer).getUint32(0, true));
    expect(keys.sort((a, b) => a - b)).toEqual([990, 991, 992, 993, 994, 995, 996, 997, 998, 999]);
    // What is there already drives nothing out.
    for (let i = 0; i < 100; i++) map.update(u32(995), u64(i));
    expect([...map.keys()]).toHaveLength(10);
  });
});

describe("a reader of a ring buffer", () => {
  it("gets records as they come, many times around, each in one piece", () => {
    using engine = newEngine();
    using collection = load(spec, { engine });
    using reader = collection.map("ring").records({ maxRecords: 3 });
    const { program } = collection.program("use_ring");
    for (let i = 0; i < 500; i++) {
      program.run?.(packet);
      const batch = reader.poll();
      expect([batch?.count, batch?.lengths[0], batch?.lengths[1]]).toEqual([2, 16, 5]);
      const at = batch?.offsets[0] ?? 0;
      expect(batch?.bytes.subarray(at, at + 9)).toEqual(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 2));
      expect(reader.poll()).toBeUndefined();
    }
    expect(reader.counters).toEqual({ read: 1000, discarded: 500, lost: 0 });
  });

  it("is woken by a run that submitted, and not by one that asked for no wake-up", async () => {
    using engine = newEngine();
    using collection = load(spec, { engine });
    using reader = collection.map("ring").records();
    const seen: number[] = [];
    const done = (async () => {
      for await (const batch of reader) {
        seen.push(batch.count);
        if (seen.length === 2) return;
      }
    })();
    const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
    await turn();
    collection.program("use_ring").program.run?.(packet);
    await turn();
    expect(seen).toEqual([2]);
    collection.program("fill_ring").program.run?.(packet);
    await turn();
    expect(seen).toEqual([2]);
    // The reader keeps the map; closing it ends the wait.
    collection.map("ring").close();
    reader.close();
    await done;
    expect(seen).toEqual([2]);
    expect(() => reader.poll()).toThrow(ClosedError);
  });

  it("ends with its signal", async () => {
    using engine = newEngine();
    using map = makeMap(engine, { type: MapType.RINGBUF, keySize: 0, valueSize: 0, maxEntries: 4096 });
    const controller = new AbortController();
    using reader = map.records({ signal: controller.signal });
    const done = (async () => {
      for await (const batch of reader) expect(batch).toBeUndefined();
    })();
    setTimeout(() => controller.abort(), 5);
    await done;
    expect(() => map.records()).toThrow("has a reader already");
  });
});

describe("maps of maps", () => {
  it("keep what they hold, and give handles of it", () => {
    using engine = newEngine();
    const inner: MapSpec = caseSpec({ type: MapType.HASH, name: "inner" } as Partial<MapSpec> & { type: number });
    const before = engine.memory.used;
    const outer = makeMap(engine, { type: MapType.ARRAY_OF_MAPS, valueSize: 4, inner }) as unknown as BpfMap<
      Uint8Array,
      BpfMap<Uint8Array, Uint8Array>
    >;
    const first = engine.createMap(inner, undefined, undefined) as BpfMap<Uint8Array, Uint8Array>;
    first.update(u32(1), u64(5));
    outer.update(u32(0), first);
    outer.update(u32(1), first);
    first.close();
    expect(() => first.lookup(u32(1))).toThrow(ClosedError);
    {
      using found = outer.lookup(u32(0));
      expect(found?.lookup(u32(1))).toEqual(u64(5));
      outer.delete(u32(0));
      outer.delete(u32(1));
      expect(found?.lookup(u32(1))).toEqual(u64(5));
      outer.update(u32(2), found as BpfMap<Uint8Array, Uint8Array>);
    }
    expect([...outer.keys()]).toHaveLength(64);
    outer.close();
    expect(engine.memory.used).toBe(before);
  });

  it("refuse what is not like their pattern, and what is no map of theirs", () => {
    using engine = newEngine();
    using other = newEngine();
    const inner = caseSpec({ type: MapType.HASH });
    const outer = makeMap(engine, { type: MapType.HASH_OF_MAPS, valueSize: 4, inner }) as unknown as BpfMap<
      Uint8Array,
      unknown
    >;
    expect(() => outer.update(u32(0), makeMap(engine, { type: MapType.HASH, valueSize: 16 }))).toThrow("EINVAL");
    expect(() => outer.update(u32(0), makeMap(other, { type: MapType.HASH }))).toThrow(InvalidValueError);
    expect(() => outer.update(u32(0), 17)).toThrow(InvalidValueError);
    expect(() => outer.updateRaw(u32(0), u32(12345))).toThrow("EINVAL");
    expect(() => makeMap(engine, { type: MapType.ARRAY_OF_MAPS, valueSize: 4 })).toThrow("needs `inner`");
  });
});

describe("maps of sockets and devices", () => {
  it("give back the objects that were put in, and hold them meanwhile", () => {
    using engine = newEngine();
    let held = 0;
    const socket = {
      address: 0x50_0000,
      hold: () => {
        held++;
        return { [Symbol.dispose]: () => void held-- };
      },
    };
    const map = makeMap(engine, { type: MapType.SOCKMAP }) as unknown as BpfMap<Uint8Array, unknown>;
    map.update(u32(1), socket);
    expect(() => map.update(u32(1), socket, "create")).toThrow("EEXIST");
    expect(() => map.update(u32(2), socket, "replace")).toThrow("ENOENT");
    map.update(u32(2), socket);
    expect(map.lookup(u32(2))).toBe(socket);
    expect(held).toBe(1);
    expect(map.delete(u32(1))).toBe(true);
    expect(() => map.delete(u32(1))).toThrow("EINVAL");
    expect(held).toBe(1);
    map.close();
    expect(held).toBe(0);
  });

  it("have nothing where no device was put", () => {
    using engine = newEngine();
    for (const type of [MapType.DEVMAP, MapType.DEVMAP_HASH]) {
      const map = makeMap(engine, { type });
      expect(map.lookup(u32(3))).toBeUndefined();
      map.update(u32(3), u64(7));
      expect(map.lookup(u32(3))).toEqual(u64(7));
      expect(map.delete(u32(3))).toBe(true);
      expect(map.lookup(u32(3))).toBeUndefined();
    }
  });
});

describe("memory of a map", () => {
  it("is what programs see", () => {
    using engine = newEngine();
    using map = makeMap(engine, { type: MapType.ARRAY, flags: 1 << 10, maxEntries: 3, valueSize: 12 });
    {
      using memory = map.memory();
      expect(memory.bytes).toHaveLength(48);
      memory.set(1, new Uint8Array(12).fill(9));
      expect(map.lookup(u32(1))).toEqual(new Uint8Array(12).fill(9));
      expect(() => map.freeze()).toThrow("EBUSY");
    }
    map.freeze();
    expect(map.memory().writable).toBe(false);
    expect(() => map.update(u32(1), new Uint8Array(12))).toThrow("EPERM");
    expect(() => makeMap(engine, { type: MapType.ARRAY }).memory()).toThrow("BPF_F_MMAPABLE");
  });

  it("is not there for more than the engine has, and nothing is lost by asking", () => {
    using engine = newEngine();
    const before = engine.memory.used;
    const huge = { maxEntries: 0xffff_ffff };
    for (const type of [MapType.HASH, MapType.ARRAY, MapType.PERCPU_ARRAY, MapType.LRU_HASH]) {
      expect(() => makeMap(engine, { type, ...huge })).toThrow("in an engine's memory of");
    }
    expect(() => makeMap(engine, { type: MapType.ARRAY, valueSize: 0x7fff_ffff, ...huge })).toThrow("memory");
    expect(() => makeMap(engine, { type: MapType.LPM_TRIE, keySize: 8, flags: 1, ...huge })).toThrow("memory");
    expect(() => makeMap(engine, { type: MapType.QUEUE, keySize: 0, ...huge })).toThrow("memory");
    expect(engine.memory.used).toBe(before);
    using map = makeMap(engine, { type: MapType.HASH, valueSize: 3 << 20, maxEntries: 1 });
    map.update(u32(1), new Uint8Array(3 << 20).fill(7));
    expect(map.lookup(u32(1))?.every((byte) => byte === 7)).toBe(true);
  });

  it("comes back from 10,000 maps", () => {
    using engine = newEngine();
    const before = engine.memory.used;
    for (let i = 0; i < 10_000; i++) makeMap(engine, { type: MapType.HASH, maxEntries: 16 }).close();
    expect(engine.memory.used).toBe(before);
  });
});

describe("a closed map", () => {
  it("throws, and stays for the programs that use it", () => {
    using engine = newEngine();
    const map = makeMap(engine, { type: MapType.HASH });
    const hold = map.hold();
    const before = engine.memory.used;
    map.close();
    map.close();
    expect(() => map.lookup(u32(1))).toThrow(ClosedError);
    expect(() => map.memory()).toThrow(ClosedError);
    expect(() => [...map.keys()]).toThrow(ClosedError);
    expect(() => map.hold()).toThrow(ClosedError);
    expect(engine.memory.used).toBe(before);
    hold[Symbol.dispose]();
    hold[Symbol.dispose]();
    expect(engine.memory.used).toBeLessThan(before);
  });
});

describe("flags of a map", () => {
  it("say what user space may do", () => {
    using engine = newEngine();
    const readOnly = makeMap(engine, { type: MapType.HASH, flags: 1 << 3 });
    expect(() => readOnly.update(u32(1), u64(1))).toThrow(MapError);
    expect(readOnly.lookup(u32(1))).toBeUndefined();
    const writeOnly = makeMap(engine, { type: MapType.HASH, flags: 1 << 4 });
    writeOnly.update(u32(1), u64(1));
    expect(() => writeOnly.lookup(u32(1))).toThrow("EPERM");
  });
});
