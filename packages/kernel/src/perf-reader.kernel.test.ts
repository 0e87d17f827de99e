// SPDX-License-Identifier: Apache-2.0

import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { RecordBatch } from "@skep/ebpf";
import { pageSize } from "@skep/linux";
import { describe, expect, it } from "vitest";
import { loadObject } from "../test-objects/load-object.ts";

function sequences(batch: RecordBatch): number[] {
  const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
  return Array.from({ length: batch.count }, (_, i) => {
    const at = batch.offsets[i]!;
    expect(at % 8).toBe(0);
    // 64 bytes and the padding that the kernel counts in.
    expect(batch.lengths[i]).toBeGreaterThanOrEqual(64);
    expect(batch.lengths[i]).toBeLessThan(72);
    const sequence = Number(view.getBigUint64(at, true));
    for (let word = 0; word < 14; word++) {
      if (view.getUint32(at + 8 + 4 * word, true) !== sequence + word) throw new Error(`record ${sequence} is torn`);
    }
    return sequence;
  });
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const ascending = (a: number, b: number): number => a - b;

describe("an overwritable perf buffer", () => {
  it("keeps the newest records, oldest first, and hands out none twice", () => {
    using object = loadObject("records");
    using reader = object.kernelMap("perf").records({ perCpuBytes: pageSize(), overwritable: true });
    expect(reader.poll()).toBeUndefined();
    let produced = 0;
    for (const count of [3, 1000, 20, 500]) {
      // The records of a run are all of the CPU that it runs on; other CPUs write to buffers of their own.
      object.run("fill_perf", count);
      const found: number[] = [];
      for (let batch = reader.poll(); batch !== undefined; batch = reader.poll()) found.push(...sequences(batch));
      expect(new Set(found).size).toBe(found.length);
      expect(Math.max(...found)).toBe(produced + count - 1);
      expect(Math.min(...found)).toBeGreaterThanOrEqual(produced);
      if (count < 40) expect([...found].sort(ascending)).toEqual(range(produced, produced + count));
      else expect(found.length).toBeGreaterThan(40);
      produced += count;
    }
    expect(Number(object.variable("produced"))).toBe(produced);
    expect(object.variable("failed")).toBe(0n);
    expect(reader.poll()).toBeUndefined();
    expect(() => reader[Symbol.asyncIterator]()).toThrow("is read by snapshots, with poll()");
  });
});

describe("a perf reader", () => {
  it("delivers every record exactly once, many times around the buffers", () => {
    using object = loadObject("records");
    using reader = object.kernelMap("perf").records({ perCpuBytes: 4 * pageSize() });
    const found: number[] = [];
    for (let round = 0; round < 100; round++) {
      object.run("fill_perf", 13 * ((round % 7) + 1));
      for (let batch = reader.poll(); batch !== undefined; batch = reader.poll()) {
        expect(batch.lost).toBe(0);
        found.push(...sequences(batch));
      }
    }
    const produced = Number(object.variable("produced"));
    expect(produced).toBeGreaterThan(4000);
    expect(object.variable("failed")).toBe(0n);
    expect(found.sort(ascending)).toEqual(range(0, produced));
    expect(reader.counters).toEqual({ read: produced, discarded: 0, lost: 0 });
  });

  it("reports exactly what was lost, in front of the next record", () => {
    using object = loadObject("records");
    using reader = object.kernelMap("perf").records({ perCpuBytes: pageSize() });
    const found: number[] = [];
    let lost = 0;
    const drain = (): void => {
      for (let batch = reader.poll(); batch !== undefined; batch = reader.poll()) {
        found.push(...sequences(batch));
        lost += batch.lost;
      }
    };
    object.run("fill_perf", 1000);
    drain();
    // Some more on each CPU, since a loss is told with the next record that fits.
    for (let i = 0; i < 50; i++) {
      object.run("fill_perf", 1);
      drain();
    }
    const produced = Number(object.variable("produced"));
    const failed = Number(object.variable("failed"));
    expect(produced + failed).toBe(1050);
    expect(failed).toBeGreaterThan(900);
    expect(found).toHaveLength(produced);
    expect(lost).toBe(failed);
    expect(reader.counters).toEqual({ read: produced, discarded: 0, lost: failed });
  });

  it("wakes up for records, also for those of before its first turn", async () => {
    for (let round = 0; round < 20; round++) {
      using object = loadObject("records", { programs: ["fill_perf"] });
      using reader = object.kernelMap("perf").records();
      // Before the event loop had a chance to register the descriptor.
      object.run("fill_perf", 1);
      expect(reader.poll()?.count).toBe(1);
      object.run("fill_perf", 2);
      const found: number[] = [];
      const timer = setTimeout(() => object.run("fill_perf", 3), 2);
      for await (const batch of reader) {
        found.push(...sequences(batch));
        if (found.length === 5) break;
      }
      clearTimeout(timer);
      expect(found.sort(ascending)).toEqual([1, 2, 3, 4, 5]);
    }
  });

  it("misses no record between its first look and its first wait", async () => {
    using object = loadObject("records", { programs: ["fill_perf"] });
    using reader = object.kernelMap("perf").records();
    const first = reader[Symbol.asyncIterator]().next();
    // It has found nothing and waits, but the event loop has not registered the descriptor yet.
    object.run("fill_perf", 1);
    expect((await first).value?.count).toBe(1);
  });

  it("wakes up again and again", async () => {
    using object = loadObject("records");
    using reader = object.kernelMap("perf").records();
    let expected = 0;
    for await (const batch of produceOnDemand(reader, () => setImmediate(() => object.run("fill_perf", 1)))) {
      for (const sequence of sequences(batch)) expect(sequence).toBe(expected++);
      if (expected >= 200) break;
    }
    expect(expected).toBe(200);
  });

  it.each([{ records: 10 }, { bytes: 600 }])("wakes up when %j have come together on a CPU", async (wakeUpAfter) => {
    using object = loadObject("records");
    using reader = object.kernelMap("perf").records({ wakeUpAfter });
    const next = reader[Symbol.asyncIterator]().next();
    let awake = false;
    void next.then(() => {
      awake = true;
    });
    // The reader looks once when it begins.
    await sleep(20);
    object.run("fill_perf", 5);
    await sleep(50);
    expect(awake).toBe(false);
    // Enough for every CPU that the runs may fall on.
    object.run("fill_perf", 20 * availableParallelism());
    expect((await next).value?.count).toBe(5 + 20 * availableParallelism());
  });

  it("refuses a mark that it could never reach, and one for a buffer that wakes nobody up", () => {
    using object = loadObject("records");
    const map = object.kernelMap("perf");
    expect(() => map.records({ perCpuBytes: 4096, wakeUpAfter: { bytes: 4096 } })).toThrow("from 1 to 4095");
    expect(() => map.records({ wakeUpAfter: { records: 0 } })).toThrow("wakeUpAfter is 0 records");
    expect(() => map.records({ overwritable: true, wakeUpAfter: { records: 2 } })).toThrow("wakes nobody up");
  });

  it("takes no more than was asked for and keeps the rest", () => {
    using object = loadObject("records");
    using reader = object.kernelMap("perf").records({ maxRecords: 7 });
    object.run("fill_perf", 20);
    const found: number[] = [];
    for (let batch = reader.poll(); batch !== undefined; batch = reader.poll()) {
      expect(batch.count).toBeLessThanOrEqual(7);
      found.push(...sequences(batch));
    }
    expect(found.sort(ascending)).toEqual(range(0, 20));
  });

  it("empties its batch when it is closed, and takes its events out of the map", () => {
    using object = loadObject("records");
    const map = object.kernelMap("perf");
    const reader = map.records();
    object.run("fill_perf", 2);
    const batch = reader.poll()!;
    reader.close();
    reader.close();
    expect(batch.count).toBe(0);
    expect(batch.bytes).toHaveLength(0);
    object.run("fill_perf", 1);
    expect(object.variable("failed")).toBe(1n);
    using again = map.records();
    object.run("fill_perf", 1);
    expect(again.poll()?.count).toBe(1);
  });

  it("refuses buffers that are no power of two of pages", () => {
    using object = loadObject("records");
    expect(() => object.kernelMap("perf").records({ perCpuBytes: 3 * pageSize() })).toThrow(
      `perCpuBytes is ${3 * pageSize()}, a power of two times ${pageSize()} is wanted`,
    );
  });
});

async function* produceOnDemand(reader: AsyncIterable<RecordBatch>, produce: () => void): AsyncGenerator<RecordBatch> {
  produce();
  for await (const batch of reader) {
    yield batch;
    produce();
  }
}
