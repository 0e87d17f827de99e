// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { Worker as Thread } from "node:worker_threads";
import { MapType } from "@skep/ebpf";
import { caseSpec } from "@skep/testbed";
import { describe, expect, it } from "vitest";
import { standardEmitters } from "../code/emitters.ts";
import { FRAME_STRIDE } from "../code/function-writer.ts";
import { ModuleWriter } from "../code/module-writer.ts";
import type { TranslationOptions } from "../code/translation-unit.ts";
import { VmMemory } from "../memory/vm-memory.ts";
import { compileRuntime } from "../runtime/compile-runtime.ts";
import { supportsMemory64 } from "../wasm/supports-memory64.ts";
import { Worker } from "../worker.ts";
import { MapSpace } from "./map-space.ts";
import { runtimeHelpers } from "./runtime-helpers.ts";
import { VmMap } from "./vm-map.ts";

const THREADS = 3;
const MAIN = THREADS;

/** What each thread runs: functions of the runtime over the shared memory, until it has done its part. */
const threadCode = `
const { parentPort, workerData } = require("node:worker_threads");
const { module, memory, state, stackTop, stackLimit, cpu, scratch, map, base, body } = workerData;
const mutable = (value) => new WebAssembly.Global({ value: "i64", mutable: true }, value);
const e = {
  memory, fuel: mutable(1n << 60n), stackTop: mutable(stackTop), result: mutable(0n),
  stackLimit: new WebAssembly.Global({ value: "i64" }, stackLimit),
  runState: new WebAssembly.Global({ value: "i64" }, BigInt(state)),
  table: new WebAssembly.Table({ element: "anyfunc", initial: 1024 }),
};
const calls = new WebAssembly.Instance(module, { e, h: {} }).exports;
const words = new Int32Array(memory.buffer);
const key = (scratch - base) >> 2;
let seed = 123456789 + cpu * 7919;
const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8;
parentPort.postMessage(new Function("calls", "words", "key", "scratch", "map", "cpu", "random", "base", body)(
  calls, words, key, scratch, map, cpu, random, base));
`;

class SharedEngine {
  readonly memory: VmMemory;
  readonly space: MapSpace;
  readonly options: TranslationOptions;
  readonly workers: readonly Worker[];

  constructor() {
    const addressBits = supportsMemory64() ? 64 : 32;
    this.memory = new VmMemory({ size: 16 << 20, addressBits, shared: true, regions: false });
    this.space = new MapSpace({
      memory: this.memory,
      cpus: THREADS + 1,
      cpu: MAIN,
      compile: (functions) => compileRuntime(this.workers[MAIN] as Worker, this.options, functions).calls,
    });
    this.workers = Array.from({ length: THREADS + 1 }, (_, cpu) => new Worker(this.memory, cpu));
    this.options = {
      addressBits,
      memorySize: this.memory.bytes.length,
      maps: this.space,
      shared: true,
      regions: false,
      fuel: undefined,
      emitters: standardEmitters(),
      hashFactor: 0x9e37_79b9_7f4a_7c15n,
    };
  }

  map(spec: Parameters<typeof caseSpec>[0]): VmMap<Uint8Array, Uint8Array> {
    return VmMap.create(this.space, caseSpec(spec), undefined);
  }

  /** Runs a body of JavaScript in every thread; `calls` has the map's functions and those of records. */
  async run(map: VmMap<Uint8Array, Uint8Array>, body: string): Promise<unknown[]> {
    const functions = [...new Set([...map.functions.values(), ...runtimeHelpers(this.space).values()])];
    const { bytes } = new ModuleWriter(this.options, undefined).runtimeModule(functions);
    const module = new WebAssembly.Module(bytes);
    const threads = this.workers.slice(0, THREADS).map((worker, cpu) => {
      const stackTop = worker.stackTop.value;
      const workerData = {
        module,
        memory: this.memory.wasm,
        state: worker.state.address,
        stackTop,
        stackLimit: stackTop - 64n * BigInt(FRAME_STRIDE),
        cpu,
        scratch: this.memory.allocate(1024),
        map: map.address,
        base: 0x1_0000,
        body,
      };
      return new Thread(threadCode, { eval: true, workerData });
    });
    return Promise.all(threads.map(async (thread) => (await once(thread, "message"))[0]));
  }
}

const total = (results: unknown[]): number => (results as number[]).reduce((sum, each) => sum + each, 0);

describe("maps that workers share", () => {
  it.each([
    ["hash", MapType.HASH, 10],
    ["hash", MapType.HASH, 1000],
    ["lru", MapType.LRU_HASH, 10],
  ])("%s maps lose and invent no entry (type %i, %i entries)", async (name, type, maxEntries) => {
    const engine = new SharedEngine();
    using map = engine.map({ type, maxEntries });
    const left = await engine.run(
      map,
      `let entries = 0;
       for (let i = 0; i < 40000; i++) {
         words[key] = random() % 24;
         words[key + 2] = words[key + 3] = i;
         const what = random() % 4;
         if (what === 0) { if (calls.${name}_delete(map, scratch, 0, 0, 0) === 0) entries--; }
         else if (what === 3) calls.${name}_lookup(map, scratch, 0, 0, 0);
         else if (calls.${name}_update(map, scratch, scratch + 8, what === 1 ? 1 : 2, 0) === 0 && what === 1) entries++;
       }
       return entries;`,
    );
    const keys = [...map.keys()].map(String);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.length).toBeLessThanOrEqual(maxEntries);
    // What an LRU map drives out, nobody counts.
    if (type === MapType.HASH) expect(keys.length).toBe(total(left));
    for (const key of map.keys()) map.delete(key);
    for (let i = 0; i < maxEntries; i++) map.update(Uint8Array.of(i, i >> 8, 1, 1), new Uint8Array(8));
    expect([...map.keys()]).toHaveLength(maxEntries);
  });

  it("counters in values are exact", async () => {
    const engine = new SharedEngine();
    using map = engine.map({ type: MapType.ARRAY, maxEntries: 4 });
    await engine.run(
      map,
      `for (let i = 0; i < 30000; i++) {
         words[key] = i & 3;
         Atomics.add(words, (calls.array_lookup(map, scratch, 0, 0, 0) - base) >> 2, 1);
       }`,
    );
    for (let i = 0; i < 4; i++)
      expect(map.lookup(Uint8Array.of(i, 0, 0, 0))).toEqual(
        new Uint8Array(BigUint64Array.of(BigInt((THREADS * 30000) / 4)).buffer),
      );
  });

  it("per-CPU values are each worker's own", async () => {
    const engine = new SharedEngine();
    using map = engine.map({ type: MapType.PERCPU_HASH, maxEntries: 4 }) as unknown as VmMap<Uint8Array, Uint8Array[]>;
    await engine.run(
      map as unknown as VmMap<Uint8Array, Uint8Array>,
      `words[key] = 7; words[key + 2] = cpu + 100; words[key + 3] = 0;
       for (let i = 0; i < 2000; i++) calls.percpu_hash_update(map, scratch, scratch + 8, 0, 0);`,
    );
    const parts = map.lookup(Uint8Array.of(7, 0, 0, 0))?.map((part) => part[0]);
    expect(parts).toEqual([100, 101, 102, 0]);
  });

  it("queues give every value once", async () => {
    const engine = new SharedEngine();
    using map = engine.map({ type: MapType.QUEUE, keySize: 0, maxEntries: 8 });
    const left = await engine.run(
      map,
      `let held = 0;
       for (let i = 0; i < 40000; i++) {
         words[key] = i; words[key + 1] = cpu;
         if (random() % 2) held += calls.queue_push(map, scratch, 0, 0, 0) === 0 ? 1 : 0;
         else held -= calls.queue_pop(map, scratch, 0, 0, 0) === 0 ? 1 : 0;
       }
       return held;`,
    );
    let count = 0;
    while (map.pop() !== undefined) count++;
    expect(count).toBe(total(left));
  });

  it("records of a ring come whole and in order, and wake the reader", async () => {
    const engine = new SharedEngine();
    using map = engine.map({ type: MapType.RINGBUF, keySize: 0, valueSize: 0, maxEntries: 4096 });
    using reader = map.records();
    const each = 5000;
    const last = new Array<number>(THREADS).fill(-1);
    const reading = (async () => {
      let count = 0;
      for await (const { bytes, offsets, lengths, count: found } of reader) {
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        for (let i = 0; i < found; i++) {
          const at = offsets[i] ?? 0;
          const length = lengths[i] ?? 0;
          const [cpu, number] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
          expect([number, view.getUint32(at + length - 4, true)]).toEqual([(last[cpu] ?? 0) + 1, number]);
          last[cpu] = number;
        }
        count += found;
        if (count === each * THREADS) return;
      }
    })();
    await engine.run(
      map,
      `for (let i = 0; i < ${each}; ) {
         const length = 8 + random() % 20 * 4;
         if (random() % 2) {
           words[key] = cpu; words[key + 1] = i; words[key + length / 4 - 1] = i;
           if (length === 8) words[key] = cpu;
           if (calls.ring_output(map, scratch, length, 0, 0) === 0) i++;
         } else {
           const record = calls.ring_reserve(map, length, 0, 0, 0);
           if (record === 0) continue;
           const at = (record - base) >> 2;
           words[at] = cpu; words[at + 1] = i; words[at + length / 4 - 1] = i;
           calls.ring_submit(record, 0, 0, 0, 0);
           i++;
         }
         // What the engine does after a run.
         Atomics.notify(words, ((map - base) >> 2) + 26);
       }`,
    );
    await reading;
    expect(last).toEqual(new Array<number>(THREADS).fill(each - 1));
  });
});
