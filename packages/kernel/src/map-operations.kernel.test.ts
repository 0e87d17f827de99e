// SPDX-License-Identifier: Apache-2.0

import { BatchCursor, type BpfMap, ClosedError, InvalidValueError, load, type MapSpec, MapType } from "@skep/ebpf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kernelDescriptors, loadObject, objectSpec } from "../test-objects/load-object.ts";
import { KernelEngine } from "./kernel-engine.ts";
import type { KernelMap } from "./kernel-map.ts";
import type { KernelProgram } from "./kernel-program.ts";
import { mapIds, openMap } from "./open-map.ts";
import { enableProgramStats, openProgram } from "./open-program.ts";

interface Sample {
  count: bigint;
  size: number;
}

function createMap(overrides: Partial<MapSpec>): KernelMap<Uint8Array, Uint8Array> {
  const spec: MapSpec = {
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
  };
  return new KernelEngine().createMap(spec, undefined, undefined) as KernelMap<Uint8Array, Uint8Array>;
}

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

describe("taking entries out", () => {
  it("gives the value once", () => {
    using object = loadObject("maps");
    const map = object.kernelMap("hash");
    const key = { id: 1, port: 2 };
    const value = { packets: 5n, balance: -1, name: "x" };
    map.update(key, value);
    expect(map.lookupAndDelete(key)).toEqual(value);
    expect(map.lookupAndDelete(key)).toBeUndefined();
    expect(map.lookup(key)).toBeUndefined();
  });

  it("in batches gives every entry exactly once and leaves none", () => {
    using map = createMap({ maxEntries: 4000 });
    const keys = new Uint32Array(3000).map((_, i) => i * 3);
    const values = new BigUint64Array(3000).map((_, i) => BigInt(i));
    map.updateBatchRaw(new Uint8Array(keys.buffer), new Uint8Array(values.buffer), 3000);
    const cursor = new BatchCursor();
    const found: [number, bigint][] = [];
    const someKeys = new Uint32Array(700);
    const someValues = new BigUint64Array(700);
    while (!cursor.done) {
      const [k, v] = [new Uint8Array(someKeys.buffer), new Uint8Array(someValues.buffer)];
      const count = map.lookupAndDeleteBatchRaw(cursor, k, v);
      for (let i = 0; i < count; i++) found.push([someKeys[i] ?? -1, someValues[i] ?? -1n]);
    }
    expect(found.sort(([a], [b]) => a - b)).toEqual(Array.from(keys, (key, i) => [key, BigInt(i)]));
    expect([...map.keys()]).toEqual([]);
  });
});

describe("a value with a spin lock", () => {
  it("is read and written under it, and keeps the lock out of sight", () => {
    using object = loadObject("maps-special");
    const map = object.kernelMap("balances");
    const value = { lock: { val: 0 }, left: 3, right: 4 };
    map.update(1, value, { lock: false });
    map.update(1, { ...value, left: 5 }, { mode: "replace", lock: true });
    expect(map.lookup(1, { lock: true })).toEqual({ ...value, left: 5 });
    expect(() => map.update(1, value, { mode: "create", lock: true })).toThrow("EEXIST");
  });

  it("is written under it in batches too", () => {
    using object = loadObject("maps-special");
    const map = object.kernelMap("balances");
    const keys = new Uint8Array(Uint32Array.of(1, 2).buffer);
    const values = new Uint8Array(Uint32Array.of(9, 1, 2, 9, 3, 4).buffer);
    expect(map.updateBatchRaw(keys, values, 2, { lock: true })).toBe(2);
    // The lock's own word is left as it is.
    expect(map.lookup(2)).toEqual({ lock: { val: 0 }, left: 3, right: 4 });
  });

  it("is what the lock needs", () => {
    using map = createMap({});
    expect(() => map.lookup(new Uint8Array(4), { lock: true })).toThrow("EINVAL");
  });
});

describe("a frozen map", () => {
  it("is read and not written from user space", () => {
    using map = createMap({});
    map.update(new Uint8Array(4), new Uint8Array(8).fill(1));
    expect(map.info().frozen).toBe(false);
    map.freeze();
    expect(map.info().frozen).toBe(true);
    expect(map.lookup(new Uint8Array(4))).toEqual(new Uint8Array(8).fill(1));
    expect(() => map.update(new Uint8Array(4), new Uint8Array(8))).toThrow("EPERM");
  });
});

describe("queues and stacks", () => {
  it.each([
    ["queue", (held: bigint[]) => held.shift(), (held: bigint[]) => held[0], (held: bigint[]) => held.shift()],
    ["stack", (held: bigint[]) => held.pop(), (held: bigint[]) => held.at(-1), (held: bigint[]) => held.shift()],
  ])("a %s behaves as an array of at most 3", (name, take, see, drop) => {
    using object = loadObject("maps-special");
    const map = object.kernelMap<never, bigint>(name);
    const step = fc.oneof(
      fc.record({ push: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), replace: fc.boolean() }),
      fc.constant("pop" as const),
      fc.constant("peek" as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const held: bigint[] = [];
        while (map.pop() !== undefined);
        for (const each of steps) {
          if (each === "pop") expect(map.pop()).toBe(take(held));
          else if (each === "peek") expect(map.peek()).toBe(see(held));
          else if (held.length === 3 && !each.replace) expect(() => map.push(each.push)).toThrow("E2BIG");
          else {
            if (held.length === 3) drop(held);
            held.push(each.push);
            map.push(each.push, { replace: each.replace });
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it("have no keys, and other maps no queue", () => {
    using object = loadObject("maps-special");
    expect(() => object.kernelMap("balances").push({})).toThrow('map "balances" is of type hash: its values have keys');
    expect(() => object.kernelMap("queue").has(1n)).toThrow('map "queue" is of type queue, not a bloom filter');
  });
});

describe("a bloom filter", () => {
  it("knows everything that it was given, and little else", () => {
    using object = loadObject("maps-special");
    const map = object.kernelMap<never, bigint>("bloom");
    expect(map.info().extra).toBe(3n);
    for (let i = 0n; i < 1000n; i++) map.push(i * 7n);
    for (let i = 0n; i < 1000n; i++) expect(map.has(i * 7n)).toBe(true);
    let wrong = 0;
    for (let i = 0n; i < 1000n; i++) if (map.has((i + 5000n) * 7n)) wrong++;
    expect(wrong).toBeLessThan(300);
    using again = openMap<never, bigint>(map.info().id);
    expect(again.has(7n)).toBe(true);
  });
});

describe("maps of maps", () => {
  it("hold from the start what the object puts in, and what is put in later", () => {
    using object = loadObject("maps-special");
    const outer = object.kernelMap<number, BpfMap<number, Sample>>("outer");
    expect(object.run("read_inner") | 0).toBe(-1);
    object.kernelMap<number, Sample>("first").update(1, { count: 0n, size: 41 });
    expect(object.run("read_inner")).toBe(41);

    // Before Linux 6.2 a map must have types when the pattern has.
    const { btf } = object.collection.spec;
    using engine = new KernelEngine();
    using types = btf && engine.loadTypes(btf);
    using other = engine.createMap(outer.spec.inner as MapSpec, types, btf);
    other.update(1, { count: 0n, size: 42 });
    outer.update(5, other as BpfMap<number, Sample>);
    expect(object.run("read_inner")).toBe(42);

    using found = outer.lookup(5);
    expect(found?.lookup(1)).toEqual({ count: 0n, size: 42 });
    found?.update(1, { count: 0n, size: 43 });
    expect(object.run("read_inner")).toBe(43);
    expect(outer.lookup(6)).toBeUndefined();
    expect(outer.delete(5)).toBe(true);
    expect(object.run("read_inner") | 0).toBe(-1);
  });

  it("refuse maps that are not like their pattern, and what is no map", () => {
    using object = loadObject("maps-special");
    const outer = object.kernelMap<number, unknown>("outer");
    using array = createMap({ type: MapType.ARRAY });
    expect(() => outer.update(1, array)).toThrow("EINVAL");
    expect(() => outer.update(1, "first")).toThrow(InvalidValueError);
    array.close();
    expect(() => outer.update(1, array)).toThrow(ClosedError);
    expect(() => createMap({ type: MapType.ARRAY_OF_MAPS, valueSize: 4 })).toThrow("needs `inner`");
  });

  it("are as typed when they are opened by id", () => {
    using object = loadObject("maps-special");
    object.kernelMap<number, Sample>("first").update(1, { count: 2n, size: 3 });
    // The kernel keeps no types of maps of maps; those that they hold have theirs.
    using outer = openMap<Uint8Array, BpfMap<number, Sample>>(object.kernelMap("outer").info().id);
    expect([...outer.keys()]).toEqual([u32(5)]);
    using inner = outer.lookup(u32(5));
    expect(inner?.spec.name).toBe("first");
    expect(inner?.lookup(1)).toEqual({ count: 2n, size: 3 });
  });

  it("leave nothing behind when what the object puts in is refused", () => {
    const before = kernelDescriptors();
    const spec = objectSpec("maps-special");
    Object.assign(spec.maps.get("first") ?? {}, { valueSize: 24, valueTypeId: 0 });
    expect(() => load(spec, { engine: new KernelEngine() })).toThrow(
      'map "outer": bpf(BPF_MAP_UPDATE_ELEM) failed: EINVAL',
    );
    expect(kernelDescriptors()).toEqual(before);
  });

  it("leave no descriptor behind", () => {
    const before = kernelDescriptors();
    {
      using object = loadObject("maps-special");
      using _found = object.kernelMap<number, BpfMap>("outer").lookup(5);
    }
    expect(kernelDescriptors()).toEqual(before);
  });
});

describe("maps of the caller's", () => {
  it("keep what they hold when an object uses them", () => {
    using first = loadObject("maps-special");
    first.kernelMap("outer").delete(5);
    using second = loadObject("maps-special", { maps: new Map([["outer", first.kernelMap("outer")]]) });
    expect(second.run("read_inner") | 0).toBe(-1);
    expect([...first.kernelMap("outer").keys()]).toEqual([]);
  });
});

describe("an array of programs", () => {
  it("holds from the start what the object puts in, which is loaded for it", () => {
    using object = loadObject("maps-special", { programs: ["jump"] });
    expect([...object.collection.programs.keys()].sort()).toEqual(["jump", "target"]);
    expect(object.run("jump")).toBe(77);
    const jumps = object.kernelMap<number, KernelProgram>("jumps");
    using held = jumps.lookup(3);
    expect(held?.info()).toMatchObject({ name: "target", id: object.program("target").info().id });
    expect(jumps.delete(3)).toBe(true);
    expect(object.run("jump")).toBe(1);
    jumps.update(3, object.collection.program("target") as never);
    expect(object.run("jump")).toBe(77);
  });
});

describe("a mapped array", () => {
  it("shows what programs write at once, and the reverse", () => {
    using object = loadObject("maps-special");
    const map = object.kernelMap<number, Sample>("shared");
    using memory = map.memory();
    expect(memory).toMatchObject({ stride: 16, writable: true });
    expect(memory.bytes).toHaveLength(16_000);
    const counts = new BigUint64Array(memory.bytes.buffer, memory.bytes.byteOffset);
    object.run("count", 3);
    expect(counts[999 * 2]).toBe(3n);
    counts[999 * 2] = 100n;
    object.run("count");
    expect(map.lookup(999)).toEqual({ count: 101n, size: 0 });
  });

  it("is read and written element by element as a lookup and an update would", () => {
    using object = loadObject("maps-special");
    const map = object.kernelMap<number, Sample>("shared");
    const memory = map.memory();
    const sample = fc.record({
      count: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      size: fc.integer({ min: 0, max: 0xffff_ffff }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999 }), sample, sample, (index, first, second) => {
        memory.set(index, first);
        expect(map.lookup(index)).toEqual(first);
        map.update(index, second);
        expect(memory.get(index)).toEqual(second);
      }),
    );
    const kept = memory.get(3);
    expect(() => memory.set(3, { count: 1n, size: -1 })).toThrow(InvalidValueError);
    expect(memory.get(3)).toEqual(kept);
    expect(() => memory.get(1000)).toThrow('map "shared" has 1000 elements, 1000 is none of them');
    memory.close();
    expect(() => memory.get(0)).toThrow(ClosedError);
    expect(() => memory.set(0, kept)).toThrow(ClosedError);
  });

  it("has its elements at multiples of 8 bytes", () => {
    using map = createMap({ type: MapType.ARRAY, valueSize: 12, flags: 1 << 10 });
    using memory = map.memory();
    expect(memory.stride).toBe(16);
    for (let i = 0; i < 64; i++) map.update(u32(i), new Uint8Array(12).fill(i));
    for (let i = 0; i < 64; i++) expect(memory.get(i)).toEqual(new Uint8Array(12).fill(i));
    memory.set(63, new Uint8Array(12).fill(200));
    expect(map.lookup(u32(63))).toEqual(new Uint8Array(12).fill(200));
  });

  it("is gone from every view once it is closed", () => {
    using object = loadObject("maps-special");
    const memory = object.kernelMap("shared").memory();
    const view = new Uint32Array(memory.bytes.buffer);
    memory.close();
    memory.close();
    expect(memory.bytes).toHaveLength(0);
    expect(view).toHaveLength(0);
    expect(view[0]).toBeUndefined();
  });

  it("is mapped for reading when it is frozen, and not at all when it was not made for it", () => {
    using object = loadObject("maps-special");
    using memory = object.kernelMap(".rodata").memory();
    expect(memory.writable).toBe(false);
    expect(() => memory.set(0, memory.get(0))).toThrow('map ".rodata" is mapped for reading alone');
    expect(new Uint32Array(memory.bytes.buffer)[0]).toBe(7);
    expect(() => object.kernelMap("balances").memory()).toThrow("only arrays made with BPF_F_MMAPABLE can be mapped");
  });
});

describe("variables of a running object", () => {
  it("are read and written in the memory of the programs", () => {
    const object = loadObject("maps-special");
    const variable = (name: string) => object.collection.variable(name);
    variable("wide").set(1n << 40n);
    variable("narrow").set(10);
    variable("half").set(65_535);
    variable("pair").set({ count: 7n, size: 8 });
    expect(object.run("count")).toBe(11);
    expect(variable("wide").get()).toBe((1n << 40n) + 1n);
    expect(variable("narrow").get()).toBe(11);
    expect(variable("half").get()).toBe(0);
    expect(variable("pair").get()).toEqual({ count: 8n, size: 9 });
    expect(() => variable("constant").set(8)).toThrow('variable "constant" lies in ".rodata", which is frozen');
    expect(variable("constant").get()).toBe(7);
    const kept = variable("wide");
    object[Symbol.dispose]();
    expect(() => kept.get()).toThrow(ClosedError);
    expect(() => kept.set(1n)).toThrow(ClosedError);
  });
});

describe("running a program on given input", () => {
  it("runs as often as asked, and tells the mean time of a run", () => {
    using object = loadObject("maps-special");
    const { returned, duration } = object.program("count").run({ data: new Uint8Array(64), repeat: 20 });
    expect(returned).toBe(22);
    expect(object.variable("wide")).toBe(21n);
    expect(duration).toBeLessThan(1_000_000);
  });

  it("gives back packet and context as the program left them", () => {
    using object = loadObject("maps-special");
    const context = new Uint8Array(192);
    context[8] = 10;
    const data = new Uint8Array(100).map((_, i) => i);
    const result = object.collection.program("cut").run({ data, context, contextOutSize: 192 });
    expect(result.returned).toBe(100);
    expect(result.data).toEqual(data.subarray(0, 90));
    expect(result.context).toHaveLength(192);
    expect(new DataView(result.context.buffer).getUint32(48, true)).toBe(11);
  });

  it("says when the packet does not fit", () => {
    using object = loadObject("maps-special");
    const run = () => object.program("cut").run({ data: new Uint8Array(100), dataOutSize: 20 });
    expect(run).toThrow('program "cut": bpf(BPF_PROG_TEST_RUN) failed: ENOSPC');
  });

  it("runs on the CPU that is asked for, and stores stacks there", () => {
    using object = loadObject("maps-special");
    object.program("trace_stack").run({ flags: 1, cpu: 0 });
    const id = Number(BigInt.asIntN(32, object.variable("stack_id")));
    expect(id).toBeGreaterThanOrEqual(0);
    const stack = object.kernelMap<number, bigint[]>("stacks").lookup(id);
    expect(stack?.[0]).not.toBe(0n);
    expect([...object.kernelMap<number, bigint[]>("stacks").keys()]).toEqual([id]);
    expect(() => object.program("trace_stack").run({ flags: 1, cpu: 9999 })).toThrow("ENXIO");
  });
});

describe("what the kernel tells about a map", () => {
  it("is what it was made with, what it takes, and whether it is frozen", () => {
    using object = loadObject("maps-special");
    const shared = object.kernelMap("shared");
    const info = shared.info();
    expect(info).toMatchObject({ name: "shared", type: MapType.ARRAY, keySize: 4, valueSize: 16, maxEntries: 1000 });
    expect(info).toMatchObject({ flags: 1 << 10, extra: 0n, frozen: false });
    expect(info.memory).toBeGreaterThan(16_000);
    expect(info.btfId).toBeGreaterThan(0);
    expect([...mapIds()]).toContain(info.id);
    shared.freeze();
    expect(shared.info().frozen).toBe(true);
    expect(object.kernelMap("bloom").info().extra).toBe(3n);
  });
});

describe("what the kernel tells about a program", () => {
  it("leads from its id back to it", () => {
    using object = loadObject("maps-special");
    const program = object.program("count");
    const info = program.info();
    expect(info).toMatchObject({ name: "count", gplCompatible: true, createdByUid: 0 });
    expect(info.tag).toMatch(/^[0-9a-f]{16}$/);
    expect(info.verifiedInstructions).toBeGreaterThan(5);
    expect(info.translated.length % 8).toBe(0);
    expect(info.mapIds).toContain(object.kernelMap("shared").info().id);
    using again = openProgram(info.id);
    expect(again.info().tag).toBe(info.tag);
    expect(again.run({ data: new Uint8Array(64) }).returned).toBe(3);
  });

  it("counts its runs while statistics are on", () => {
    using object = loadObject("maps-special");
    object.run("count");
    const before = object.program("count").info().stats;
    {
      using _stats = enableProgramStats();
      object.run("count", 5);
    }
    const after = object.program("count").info().stats;
    expect(after.runs - before.runs).toBe(5n);
    expect(after.nanoseconds).toBeGreaterThan(before.nanoseconds);
    object.run("count");
    expect(object.program("count").info().stats.runs).toBe(after.runs);
  });

  it("binds maps to it that it does not name", () => {
    using object = loadObject("maps-special");
    using map = createMap({});
    object.program("count").bindMap(map);
    expect(object.program("count").info().mapIds).toContain(map.info().id);
  });
});

describe("a user ring buffer", () => {
  it("hands every record to the program once, many times around", () => {
    using object = loadObject("maps-special");
    using writer = object.kernelMap("orders").writer();
    let sum = 0;
    for (let i = 1; i <= 2000; i++) {
      const record = new Uint8Array(8 + (i % 40));
      new DataView(record.buffer).setBigUint64(0, BigInt(i), true);
      expect(writer.write(record)).toBe(true);
      sum += i;
      if (i % 50 === 0) expect(object.run("take_orders")).toBe(sum);
    }
    expect(writer.available).toBe(4096);
  });

  it("keeps the order of reservation, and holds back what is not submitted", () => {
    using object = loadObject("maps-special");
    using writer = object.kernelMap("orders").writer();
    const slots = [1n, 2n, 4n].map((number) => {
      const slot = writer.reserve(8);
      new DataView(slot!.bytes.buffer, slot!.bytes.byteOffset).setBigUint64(0, number, true);
      return slot!;
    });
    slots[2]?.submit();
    slots[1]?.discard();
    expect(object.run("take_orders")).toBe(0);
    slots[0]?.submit();
    expect(object.run("take_orders")).toBe(5);
    expect(slots[0]?.bytes).toHaveLength(0);
    expect(() => slots[0]?.submit()).toThrow(ClosedError);
  });

  it("is full until the program has taken something", () => {
    using object = loadObject("maps-special");
    using writer = object.kernelMap("orders").writer();
    let written = 0;
    while (writer.write(new Uint8Array(120))) written++;
    expect(written).toBe(32);
    object.run("take_orders");
    expect(writer.write(new Uint8Array(120))).toBe(true);
    expect(() => writer.reserve(5000)).toThrow("a record of 5000 bytes, 1 to 4088 fit into the ring");
    expect(() => object.kernelMap("orders").writer()).toThrow("has a writer already");
  });
});
