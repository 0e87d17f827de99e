// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { ClosedError, type RecordBatch } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { loadObject } from "../test-objects/load-object.ts";

/** Records of 64 bytes take 72 in the ring, so that many fit into 64 KiB. */
const capacity = Math.floor(65536 / 72);

/** The sequence numbers of a batch, after a check that each record is whole. */
function sequences(batch: RecordBatch): number[] {
  const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
  return Array.from({ length: batch.count }, (_, i) => {
    const at = batch.offsets[i]!;
    const sequence = Number(view.getBigUint64(at, true));
    expect(batch.lengths[i]).toBe(64);
    expect(at % 8).toBe(0);
    for (let word = 0; word < 14; word++) {
      if (view.getUint32(at + 8 + 4 * word, true) !== sequence + word) throw new Error(`record ${sequence} is torn`);
    }
    return sequence;
  });
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe("a ring reader", () => {
  it("delivers every record exactly once and in order, many times around the ring", () => {
    using object = loadObject("records");
    using reader = object.kernelMap("ring").records();
    expect(reader.poll()).toBeUndefined();
    const found: number[] = [];
    for (let round = 0; round < 60; round++) {
      object.run("fill_ring", 37 * ((round % 11) + 1));
      for (let batch = reader.poll(); batch !== undefined; batch = reader.poll()) found.push(...sequences(batch));
    }
    const produced = Number(object.variable("produced"));
    expect(produced).toBeGreaterThan(10 * capacity);
    expect(object.variable("failed")).toBe(0n);
    expect(found).toEqual(range(0, produced));
    expect(reader.counters).toEqual({ read: produced, discarded: 0, lost: 0 });
  });

  it("wakes up for records and sleeps when there are none", async () => {
    using object = loadObject("records");
    const abort = new AbortController();
    using reader = object.kernelMap("ring").records({ signal: abort.signal });
    const found: number[] = [];
    const timer = setInterval(() => object.run("fill_ring", 3), 5);
    for await (const batch of reader) {
      found.push(...sequences(batch));
      if (found.length >= 60) break;
    }
    clearInterval(timer);
    expect(found).toEqual(range(0, found.length));

    // Leaving the loop does not close the reader, and another loop goes on where it stopped.
    object.run("fill_ring", 5);
    // Half of it is much for what is to be done, but little for a processor that is emulated.
    const sleep = 250;
    setTimeout(() => abort.abort(), sleep);
    const cpuBefore = process.cpuUsage();
    for await (const batch of reader) found.push(...sequences(batch));
    const cpu = process.cpuUsage(cpuBefore);
    expect(found).toEqual(range(0, Number(object.variable("produced"))));
    expect(cpu.user + cpu.system).toBeLessThan((sleep * 1000) / 2);
  });

  it("takes no more than was asked for, and gives back the room of one batch with the next", () => {
    using object = loadObject("records");
    using reader = object.kernelMap("ring").records({ maxRecords: 10 });
    object.run("fill_ring", capacity);
    object.run("fill_ring", 1);
    expect(object.variable("failed")).toBe(1n);
    expect(reader.poll()?.count).toBe(10);
    // Still ours: the ring is as full as before.
    object.run("fill_ring", 1);
    expect(object.variable("failed")).toBe(2n);
    expect(reader.poll()?.count).toBe(10);
    object.run("fill_ring", 11);
    expect(object.variable("failed")).toBe(3n);
  });

  it("loses exactly what did not fit, and nothing that did", () => {
    using object = loadObject("records");
    using reader = object.kernelMap("ring").records();
    object.run("fill_ring", 5000);
    const produced = Number(object.variable("produced"));
    expect(produced + Number(object.variable("failed"))).toBe(5000);
    expect(produced).toBe(capacity);
    expect(sequences(reader.poll()!)).toEqual(range(0, produced));
    expect(reader.poll()).toBeUndefined();
    expect(reader.counters.read).toBe(produced);
  });

  it("steps over discarded records and counts them", () => {
    using object = loadObject("records", { variables: { discard_every: 3 } });
    using reader = object.kernelMap("ring").records();
    object.run("fill_ring", 300);
    expect(sequences(reader.poll()!)).toEqual(range(0, 300).filter((i) => (i + 1) % 3 !== 0));
    expect(reader.counters).toEqual({ read: 200, discarded: 100, lost: 0 });
  });

  it("gives back the room of discarded records although it delivers nothing", () => {
    using object = loadObject("records", { variables: { discard_every: 1 } });
    using reader = object.kernelMap("ring").records();
    for (let round = 0; round < 5; round++) {
      object.run("fill_ring", capacity);
      expect(reader.poll()).toBeUndefined();
    }
    expect(object.variable("failed")).toBe(0n);
    expect(reader.counters.discarded).toBe(5 * capacity);
  });

  it("delivers records of every length", () => {
    using object = loadObject("records");
    using reader = object.kernelMap("ring").records();
    object.run("fill_ring_uneven", 640);
    const batch = reader.poll()!;
    expect(batch.count).toBe(640);
    for (let i = 0; i < batch.count; i++) {
      const length = (i % 64) + 1;
      expect(batch.lengths[i]).toBe(length);
      const record = batch.bytes.subarray(batch.offsets[i], batch.offsets[i]! + length);
      expect(record.every((byte) => byte === length)).toBe(true);
    }
  });

  it("goes on when positions pass 2^32 and 2^33", () => {
    using object = loadObject("records");
    const map = object.kernelMap("huge");
    let reader = map.records();
    for (let expected = 0; expected < 2 * 4096 + 20; ) {
      object.run("fill_huge", 1 + (expected % 3));
      for (let batch = reader.poll(); batch !== undefined; batch = reader.poll()) {
        for (let i = 0; i < batch.count; i++) {
          expect(batch.lengths[i]).toBe((1 << 20) - 8);
          const at = batch.bytes.byteOffset + batch.offsets[i]!;
          if (new DataView(batch.bytes.buffer).getBigUint64(at, true) !== BigInt(expected)) {
            throw new Error(`record ${expected} is another`);
          }
          expected++;
        }
      }
      // A reader that is opened later finds the position as it was left.
      if (expected % 1000 < 3) {
        reader.close();
        reader = map.records();
      }
    }
    reader.close();
    expect(object.variable("failed")).toBe(0n);
  });

  it("lets timers run while records never end", async () => {
    using object = loadObject("records");
    using reader = object.kernelMap("ring").records({ maxRecords: 8 });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    let batches = 0;
    object.run("fill_ring", 100);
    for await (const _ of reader) {
      object.run("fill_ring", 8);
      if (++batches === 3000) break;
    }
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(3);
  });

  it("is the only one, until it is closed", () => {
    using object = loadObject("records");
    const map = object.kernelMap("ring");
    const first = map.records();
    expect(() => map.records()).toThrow('map "ring" has a reader already');
    object.run("fill_ring", 4);
    expect(first.poll()?.count).toBe(4);
    object.run("fill_ring", 3);
    first.close();
    // It goes on after the last batch that was handed out.
    using second = map.records();
    expect(sequences(second.poll()!)).toEqual([4, 5, 6]);
  });

  it("outlives its map and its programs", () => {
    const object = loadObject("records");
    using reader = object.kernelMap("ring").records();
    object.run("fill_ring", 4);
    object[Symbol.dispose]();
    expect(sequences(reader.poll()!)).toEqual([0, 1, 2, 3]);
  });

  it("empties its batch and ends a wait when it is closed", async () => {
    using object = loadObject("records");
    const reader = object.kernelMap("ring").records();
    object.run("fill_ring", 4);
    const batch = reader.poll()!;
    const { bytes } = batch;
    const next = reader[Symbol.asyncIterator]();
    const waiting = next.next();
    await sleep(5);
    reader.close();
    reader.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(batch.count).toBe(0);
    expect(batch.bytes).toHaveLength(0);
    expect(bytes).toHaveLength(0);
    expect(() => reader.poll()).toThrow(ClosedError);
    expect(() => reader[Symbol.asyncIterator]()).toThrow('reader of map "ring" is closed');
  });

  it("lets a process touch everything after the close without a fault", () => {
    const script = `
      import { loadObject } from ${JSON.stringify(new URL("../test-objects/load-object.ts", import.meta.url).href)};
      const object = loadObject("records");
      const reader = object.kernelMap("ring").records();
      object.run("fill_ring", 4);
      const batch = reader.poll();
      const { bytes, offsets } = batch;
      const waiting = (async () => { for await (const _ of reader); })();
      await new Promise((resolve) => setImmediate(resolve));
      reader.close();
      object[Symbol.dispose]();
      await waiting;
      bytes[0] = 1;
      const codes = [];
      for (const use of [() => reader.poll(), () => object.kernelMap("ring").lookupRaw(new Uint8Array(0), new Uint8Array(0))]) {
        try { use(); } catch (error) { codes.push(error.code); }
      }
      console.log(bytes[offsets[0]], bytes.length, batch.count, codes.join());
    `;
    const child = spawnSync(process.execPath, ["--conditions=skep-source", "--input-type=module", "-e", script], {
      encoding: "utf8",
      cwd: import.meta.dirname,
    });
    expect(child.stderr).toBe("");
    expect(child.signal).toBeNull();
    expect(child.stdout).toBe("undefined 0 0 ERR_CLOSED,ERR_CLOSED\n");
  });

  it("refuses a senseless number of records", () => {
    using object = loadObject("records");
    expect(() => object.kernelMap("ring").records({ maxRecords: 0 })).toThrow("maxRecords is 0, a whole number from 1");
    expect(() => object.kernelMap(".bss").records()).toThrow('map ".bss" is of type array: it has no records to read');
  });
});
