// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker as Thread } from "node:worker_threads";
import { type Collection, InvalidValueError, load, type MapSpec, NotFoundError, parseObject } from "@skep/ebpf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { VmMap } from "./map/vm-map.ts";
import type { ThreadData, ThreadTask } from "./shared-engine.thread.test-kit.ts";
import { VmEngine } from "./vm-engine.ts";
import type { VmEngineHandle } from "./vm-engine-handle.ts";

const object = readFileSync(new URL("../test-objects/shared-programs.bpf.o", import.meta.url));
const spec = parseObject(object);
const data = new Uint8Array(64);
const WORKERS = 4;
const RUNS = 100_000;

async function startThread(handle: VmEngineHandle): Promise<Thread> {
  const thread = new Thread(new URL("./shared-engine.thread.test-kit.ts", import.meta.url), {
    workerData: { handle, object } satisfies ThreadData,
    execArgv: ["--conditions=skep-source"],
  });
  expect(await once(thread, "message")).toEqual(["joined"]);
  return thread;
}

async function perform(thread: Thread, task: ThreadTask): Promise<unknown> {
  thread.postMessage(task);
  return (await once(thread, "message"))[0];
}

const sum = (values: readonly bigint[] | undefined): bigint => (values ?? []).reduce((all, each) => all + each, 0n);

describe("an engine that threads share", () => {
  let engine: VmEngine;
  let app: Collection;
  let threads: Thread[];

  beforeAll(async () => {
    engine = new VmEngine({ workers: WORKERS, memory: 32 << 20, fuel: false });
    app = load(spec, { engine, variables: { global: 7n } });
    threads = await Promise.all([1, 2, 3].map((worker) => startThread(engine.handle(worker))));
  }, 30_000);

  afterAll(async () => {
    await Promise.all(threads.map((thread) => thread.terminate()));
    app.close();
    engine.close();
  });

  /** Runs a program in all threads at once, this one too. */
  async function everywhere(run: string, times: number): Promise<unknown[]> {
    const others = threads.map((thread) => perform(thread, { run, times }));
    const own = app.program(run).run({ data, repeat: times }).returned;
    return [own, ...(await Promise.all(others))];
  }

  const counted = (): bigint | undefined => app.map<number, bigint>("array").lookup(0);

  it("counters are exact, each worker has its number, and initial data is written once", async () => {
    expect(await everywhere("count", RUNS)).toEqual([0, 1, 2, 3]);
    const all = BigInt(WORKERS * RUNS);
    expect(counted()).toBe(all);
    expect(app.map<number, bigint>("hash").lookup(0)).toBe(all);
    expect(app.variable("global").get()).toBe(7n + all);
    const each = new Array<bigint>(WORKERS).fill(BigInt(RUNS));
    expect(app.map<number, bigint[]>("percpu_array").lookup(0)).toEqual(each);
    // Where the first run of a worker found nothing it put 0 in.
    const parts = app.map<number, bigint[]>("percpu_hash").lookup(0) ?? [];
    expect(parts).toHaveLength(WORKERS);
    for (const part of parts) expect([BigInt(RUNS) - 1n, BigInt(RUNS)]).toContain(part);
    expect(sum(parts)).toBeLessThan(all);
  });

  it("a hash map in which all put and delete keeps what it should", async () => {
    await everywhere("churn", RUNS);
    const entries = [...app.map<number, bigint>("churned").entries()];
    // One that took out more than it put in wraps.
    const balance = BigInt.asIntN(64, sum(app.map<number, bigint[]>("balance").lookup(0)));
    expect(BigInt(entries.length)).toBe(balance);
    expect(new Set(entries.map(([key]) => key)).size).toBe(entries.length);
    for (const [key, value] of entries) expect(value).toBe(BigInt(key) * 0x1_0000_0001n);
    const map = app.map<number, bigint>("churned");
    for (const [key] of entries) expect(map.delete(key)).toBe(true);
    for (let key = 0; key < 64; key++) map.update(key, 0n);
    expect([...map.keys()]).toHaveLength(64);
  });

  it("a lock in a value keeps the others out", async () => {
    const times = 20_000;
    expect(await everywhere("change_locked", times)).toEqual([0, 0, 0, 0]);
    const all = WORKERS * times;
    expect(app.map("locked").lookup(0, { lock: true })).toMatchObject({
      up: all,
      down: BigInt.asUintN(64, BigInt(-all)),
    });
  });

  it("records of three writers come once each, in order, to a reader in a thread of its own", async () => {
    const each = 5000;
    const reader = threads[2] as Thread;
    expect(await perform(reader, { read: 3 * each })).toBe("reading");
    expect(() => app.map("ring").records()).toThrow(/has a reader already/);
    const read = once(reader, "message");
    const others = threads.slice(0, 2).map((thread) => perform(thread, { send: each }));
    const send = app.program("send");
    for (let sent = 0; sent < each; ) if (send.run({ data }).returned === 0) sent++;
    expect(await Promise.all(others)).toEqual([each, each]);
    const [records] = (await read) as [number[]];
    expect(records).toHaveLength(2 * 3 * each);
    const next = [0, 0, 0];
    for (let i = 0; i < records.length; i += 2) {
      const cpu = records[i] as number;
      expect(records[i + 1]).toBe(next[cpu]);
      next[cpu] = (next[cpu] as number) + 1;
    }
    expect(next).toEqual([each, each, each]);
    app.map("ring").records().close();
  });

  it("maps within maps are found where the creator puts them, and programs by tail calls in each thread", async () => {
    const outer = app.map<number, unknown>("outer");
    outer.update(0, app.map("second"));
    expect(await everywhere("through_outer", 1000)).toEqual([1, 1, 1, 1]);
    expect(app.map<number, bigint>("second").lookup(0)).toBe(BigInt(WORKERS * 1000));
    expect(await everywhere("jump", 1)).toEqual([40, 41, 42, 43]);
  });

  it("a map that changed stays changed for those who join later, and a thread that was ended can be replaced", async () => {
    app.map<number, unknown>("outer").update(0, app.map("second"));
    const before = app.map<number, bigint>("second").lookup(0) ?? 0n;
    const hanging = app.map<number, bigint>("array");
    hanging.update(1, 0n);
    threads[0]?.postMessage({ run: "hang", times: 1 } satisfies ThreadTask);
    // It runs, and has a record that it will never submit.
    while (hanging.lookup(1) === 0n) await sleep(1);
    await threads[0]?.terminate();
    const counts = counted() ?? 0n;
    expect(await perform(threads[1] as Thread, { run: "count", times: 1000 })).toBe(2);
    expect(counted()).toBe(counts + 1000n);

    threads[0] = await startThread(engine.handle(1));
    expect(await everywhere("through_outer", 1)).toEqual([1, 1, 1, 1]);
    expect(app.map<number, bigint>("second").lookup(0)).toBe(before + BigInt(WORKERS));
    using reader = app.map("ring").records();
    reader.poll();
    expect(await perform(threads[0], { send: 5 })).toBe(5);
    expect(reader.poll()?.count).toBe(5);
  });
});

describe("joining an engine", () => {
  it("finds the maps that are there, alike ones only", () => {
    using engine = new VmEngine({ workers: 2, memory: 4 << 20 });
    const first: MapSpec = { ...(spec.maps.get("array") as MapSpec), name: "counts" };
    using map = engine.createMap(first, undefined, undefined);
    const { used } = engine.memory;
    using joined = VmEngine.join(structuredClone(engine.handle(1)));
    const there = joined.createMap(first, undefined, undefined);
    there.updateRaw(Uint8Array.of(1, 0, 0, 0), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const value = new Uint8Array(8);
    map.lookupRaw(Uint8Array.of(1, 0, 0, 0), value);
    expect([...value]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(() => joined.createMap({ ...first, maxEntries: 3 }, undefined, undefined)).toThrow(InvalidValueError);
    expect(() => joined.createMap({ ...first, name: "others" }, undefined, undefined)).toThrow(NotFoundError);
    expect(engine.memory.used).toBe(used);
    joined.close();
    map.lookupRaw(Uint8Array.of(1, 0, 0, 0), value);
    expect(value[0]).toBe(1);
  });

  it("gives maps of one name in the order in which they were made, without those that were given up", () => {
    using engine = new VmEngine({ workers: 2, memory: 4 << 20 });
    const array = spec.maps.get("array") as MapSpec;
    const made = [1, 2, 3].map(() => engine.createMap(array, undefined, undefined) as VmMap);
    engine.handle(1);
    made[0]?.close();
    using joined = VmEngine.join(engine.handle(1));
    const found = [1, 2, 3].map(() => (joined.createMap(array, undefined, undefined) as VmMap).address);
    expect(found).toEqual([made[1]?.address, made[2]?.address, made[2]?.address]);
  });

  it("is for the workers that the engine was made with", () => {
    using alone = new VmEngine({ memory: 1 << 20 });
    expect(alone.memory.shared).toBe(false);
    expect(() => alone.handle(1)).toThrow(InvalidValueError);
    using engine = new VmEngine({ workers: 2, memory: 4 << 20 });
    expect(() => engine.handle(0)).toThrow(InvalidValueError);
    expect(() => engine.handle(2)).toThrow(InvalidValueError);
    using joined = VmEngine.join(engine.handle(1));
    expect(() => joined.handle(1)).toThrow(InvalidValueError);
    expect(() => new VmEngine({ workers: 0 })).toThrow(/0 workers/);
  });
});
