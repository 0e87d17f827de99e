// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BpfMap } from "../bpf-map.ts";
import type { Engine, LoadableProgram } from "../engine.ts";
import { ClosedError, InvalidValueError, NotFoundError } from "../errors.ts";
import type { MapSpec } from "../map-spec.ts";
import { MapType } from "../map-type.ts";
import type { ProgramSpec } from "../program-spec.ts";
import type { ReaderCounters, RecordBatch, RecordReader, RecordReaderOptions } from "../record-batch.ts";
import { MemoryMap } from "./memory-map.ts";
import { PlayerEngine } from "./player.ts";
import { type Recording, readRecording } from "./read-recording.ts";
import { RecordingEngine } from "./recorder.ts";
import type { PlaybackOptions } from "./timeline.ts";

const CPUS = 2;
const CLOCK_OFFSET = 1_000_000_000_000_000_000n;

function specOf(name: string, type: number, keySize: number, valueSize: number): MapSpec {
  const none = { flags: 0, extra: 0n, pinning: "none" as const, keyTypeId: 0, valueTypeId: 0 };
  return { name, type, keySize, valueSize, maxEntries: 1, ...none };
}

const ring = (name: string) => specOf(name, MapType.RINGBUF, 0, 0);
const ledgerOf = (name: string) => specOf(`${name}_ledger`, MapType.PERCPU_ARRAY, 4, 32);

/** A ring that a test fills; its reader ends when it is empty. */
class FakeRing extends MemoryMap {
  readonly pending: RecordBatch[] = [];
  readonly counters = { read: 0, discarded: 0, lost: 0 };

  override records(_options?: RecordReaderOptions): RecordReader {
    const { pending, counters } = this;
    const poll = (): RecordBatch | undefined => {
      const batch = pending.shift();
      counters.read += batch?.count ?? 0;
      return batch;
    };
    return {
      get counters(): ReaderCounters {
        return { ...counters };
      },
      poll,
      async *[Symbol.asyncIterator]() {
        for (let batch = poll(); batch !== undefined; batch = poll()) yield batch;
      },
      close: () => undefined,
      [Symbol.dispose]: () => undefined,
    };
  }
}

class FakeEngine implements Engine {
  readonly name = "fake";
  readonly capabilities = { recording: false, kernelTypes: true };
  readonly made = new Map<string, BpfMap>();
  readonly loaded: LoadableProgram[] = [];
  closed = 0;

  clockOffset = () => CLOCK_OFFSET;
  kernelTypes = () => undefined;
  loadTypes = () => undefined;
  createMap(spec: MapSpec): BpfMap {
    const map = spec.type === MapType.RINGBUF ? new FakeRing(spec, undefined, 1) : new MemoryMap(spec, undefined, CPUS);
    this.made.set(spec.name, map);
    return map;
  }
  loadProgram(program: LoadableProgram) {
    this.loaded.push(program);
    return { name: program.spec.name, close: () => undefined, [Symbol.dispose]: () => undefined };
  }
  attach(): never {
    throw new Error("not attached here");
  }
  attachStructOps(): never {
    throw new Error("not attached here");
  }
  close(): void {
    this.closed++;
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Records a stream as a collector would, with the ledger that a program would keep. */
class Session {
  clock = 500_000_000_000n;
  readonly chunks: Uint8Array[] = [];
  readonly inner = new FakeEngine();
  readonly engine = new RecordingEngine(this.inner, {
    write: (chunk) => this.chunks.push(chunk),
    node: "here",
    kernel: "6.18.0",
    cpus: CPUS,
    objects: [],
    clock: () => this.clock,
  });
  readonly #streams = new Map<string, { map: BpfMap; reader: RecordReader; ledger: BpfMap }>();

  open(name: string): void {
    const map = this.engine.createMap(ring(name), undefined, undefined);
    const ledger = this.engine.createMap(ledgerOf(name), undefined, undefined);
    this.#streams.set(name, { map, ledger, reader: map.records() });
  }

  /** The program submits and the reader reads `count` records, `filtered` events beside them. */
  deliver(name: string, records: readonly number[][], options: { filtered?: number; unread?: number } = {}): void {
    const { filtered = 0, unread = 0 } = options;
    const stream = this.#streams.get(name);
    const fake = this.inner.made.get(name) as FakeRing;
    this.count(name, records.length + unread, filtered);
    fake.pending.push(batchOf(records));
    stream?.reader.poll();
  }

  count(name: string, submitted: number, filtered: number): void {
    const ledger = this.#streams.get(name)?.ledger;
    const value = new BigUint64Array(4 * CPUS);
    const bytes = new Uint8Array(value.buffer);
    ledger?.lookupRaw(new Uint8Array(4), bytes);
    // As events of the second CPU.
    value[4] = (value[4] ?? 0n) + BigInt(submitted + filtered);
    value[5] = (value[5] ?? 0n) + BigInt(filtered);
    value[7] = (value[7] ?? 0n) + BigInt(submitted);
    ledger?.updateRaw(new Uint8Array(4), bytes);
  }

  closeStream(name: string): void {
    const stream = this.#streams.get(name);
    stream?.reader.close();
    stream?.map.close();
    stream?.ledger.close();
  }

  recording(): Recording {
    return readRecording(Uint8Array.from(this.chunks.flatMap((chunk) => [...chunk])));
  }
}

function batchOf(records: readonly number[][]): RecordBatch {
  const offsets: number[] = [];
  let end = 8;
  for (const record of records) {
    offsets.push(end);
    end += Math.ceil(record.length / 8) * 8 + 8;
  }
  const bytes = new Uint8Array(end);
  for (const [index, record] of records.entries()) bytes.set(record, offsets[index]);
  const lengths = Uint32Array.from(records, (record) => record.length);
  return { count: records.length, bytes, offsets: Uint32Array.from(offsets), lengths, lost: 0 };
}

function recordsOf(batch: RecordBatch): number[][] {
  return Array.from({ length: batch.count }, (_, i) => {
    const offset = batch.offsets[i] ?? 0;
    return [...batch.bytes.subarray(offset, offset + (batch.lengths[i] ?? 0))];
  });
}

/** [seen, filtered, failed, submitted], summed over the CPUs. */
function countersOf(ledger: BpfMap): number[] {
  const value = new BigUint64Array(ledger.rawValueSize / 8);
  expect(ledger.lookupRaw(new Uint8Array(4), new Uint8Array(value.buffer))).toBe(true);
  return [0, 1, 2, 3].map((word) => Number((value[word] ?? 0n) + (value[word + 4] ?? 0n)));
}

/** Two streams; `a` has records at 0, 1 and 3 s, `b` at 2 s. */
function twoStreams(): Session {
  const session = new Session();
  session.open("a");
  session.open("b");
  session.deliver("a", [[1], [2, 2]], { filtered: 3 });
  session.clock += 1_000_000_000n;
  session.deliver("a", [[3, 3, 3]]);
  session.clock += 1_000_000_000n;
  session.deliver("b", [[9]], { filtered: 1 });
  session.clock += 1_000_000_000n;
  session.deliver("a", [[4]]);
  return session;
}

/** Plays a stream and gathers what comes, with the wall-clock second and what the row's time would be. */
function listen(player: PlayerEngine, name: string, options?: RecordReaderOptions) {
  const map = player.createMap(ring(name), undefined, undefined);
  const ledger = player.createMap(ledgerOf(name), undefined, undefined);
  const reader = map.records(options);
  const got: { at: number; offset: bigint; records: number[][] }[] = [];
  const done = (async () => {
    for await (const batch of reader) {
      got.push({ at: Date.now(), offset: player.clockOffset(), records: recordsOf(batch) });
    }
  })();
  return { map, ledger, reader, got, done };
}

describe("a recording that is made and played", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
  });
  afterEach(() => {
    expect(vi.getTimerCount(), "no timer is left").toBe(0);
    vi.useRealTimers();
  });

  const play = (recording: Recording, options?: PlaybackOptions) => new PlayerEngine(recording, options);

  it("plays the same records of each map in order, at their recorded pace", async () => {
    const session = twoStreams();
    session.engine.close();
    const player = play(session.recording());
    expect([player.name, player.capabilities]).toEqual(["recording", { recording: true, kernelTypes: false }]);
    const start = Date.now();
    const a = listen(player, "a");
    const b = listen(player, "b");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(a.got.map(({ at, records }) => [Math.round((at - start) / 1000), records])).toEqual([
      [0, [[1], [2, 2]]],
      [1, [[3, 3, 3]]],
      [3, [[4]]],
    ]);
    expect(b.got.map(({ at, records }) => [Math.round((at - start) / 1000), records])).toEqual([[2, [[9]]]]);
    expect(a.reader.counters).toEqual({ read: 4, discarded: 0, lost: 0 });
    player.close();
    await Promise.all([a.done, b.done]);
  });

  it("moves the clock so that the first batch happens when it is played, whatever the speed", async () => {
    const session = twoStreams();
    session.engine.close();
    vi.setSystemTime(86_400_000);
    const player = play(session.recording(), { speed: 10 });
    const start = performance.timeOrigin + performance.now();
    const a = listen(player, "a");
    await vi.advanceTimersByTimeAsync(300);
    expect(a.got).toHaveLength(3);
    for (const { offset } of a.got) expect(Number(offset + 500_000_000_000n) / 1e6).toBeCloseTo(start, 0);
    player.close();
    await a.done;
  });

  it("loops with a pause, moves each loop's clock, and sums the ledger", async () => {
    const session = twoStreams();
    session.engine.close();
    const player = play(session.recording(), { loop: { pauseSeconds: 2 } });
    const a = listen(player, "a");
    const b = listen(player, "b");
    await vi.advanceTimersByTimeAsync(500);
    expect(countersOf(a.ledger)).toEqual([5, 3, 0, 2]);
    await vi.advanceTimersByTimeAsync(3500);
    expect(countersOf(a.ledger)).toEqual([7, 3, 0, 4]);
    expect(countersOf(b.ledger)).toEqual([2, 1, 0, 1]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(a.got.map(({ records }) => records.length)).toEqual([2, 1, 1, 2, 1, 1, 2, 1, 1]);
    expect(b.got).toHaveLength(3);
    expect(countersOf(a.ledger)).toEqual([21, 9, 0, 12]);
    expect(a.reader.counters.read).toBe(12);
    const offsets = [0, 3, 6].map((index) => Number((a.got[index]?.offset ?? 0n) / 1_000_000n));
    expect((offsets[1] ?? 0) - (offsets[0] ?? 0)).toBeCloseTo(5000, -1);
    expect((offsets[2] ?? 0) - (offsets[1] ?? 0)).toBeCloseTo(5000, -1);
    player.close();
    await Promise.all([a.done, b.done]);
  });

  it("keeps seen = filtered + failed + submitted while it plays, never behind the reader", async () => {
    const session = twoStreams();
    session.engine.close();
    const player = play(session.recording(), { loop: { pauseSeconds: 0.5 } });
    const { ledger, reader, done } = listen(player, "a");
    for (let step = 0; step < 100; step++) {
      await vi.advanceTimersByTimeAsync(130);
      const [seen = 0, filtered = 0, failed = 0, submitted = 0] = countersOf(ledger);
      expect(seen).toBe(filtered + failed + submitted);
      expect(submitted).toBeGreaterThanOrEqual(reader.counters.read);
    }
    player.close();
    await done;
  });

  it("does not begin a loop before a slow reader has taken all of the one before", async () => {
    const session = twoStreams();
    session.engine.close();
    const player = play(session.recording(), { loop: { pauseSeconds: 1 } });
    const a = listen(player, "a");
    const slow = player.createMap(ring("b"), undefined, undefined).records();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(a.got).toHaveLength(3);
    const first = player.clockOffset();
    expect(recordsOf(slow.poll() ?? batchOf([]))).toEqual([[9]]);
    expect(player.clockOffset()).toBe(first);
    expect(slow.poll()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1500);
    expect(a.got).toHaveLength(4);
    player.close();
    await a.done;
  });

  it("agrees with itself when the recording was cut before the reader had read everything", async () => {
    const session = new Session();
    session.open("a");
    session.deliver("a", [[1], [2]], { filtered: 1 });
    session.clock += 1_000_000_000n;
    session.deliver("a", [[3]], { unread: 7, filtered: 2 });
    const player = play(session.recording());
    const { ledger, reader, done } = listen(player, "a");
    await vi.advanceTimersByTimeAsync(5000);
    expect(reader.counters.read).toBe(3);
    const [seen, filtered, failed, submitted] = countersOf(ledger);
    expect([filtered, failed, submitted]).toEqual([3, 0, 3]);
    expect(seen).toBe(6);
    player.close();
    await done;
  });

  it("goes on with the counters of a stream that was loaded again while recording", async () => {
    const session = new Session();
    session.open("a");
    session.deliver("a", [[1], [2]]);
    session.closeStream("a");
    session.clock += 1_000_000_000n;
    session.open("a");
    session.deliver("a", [[3]]);
    session.closeStream("a");
    session.engine.close();
    const player = play(session.recording());
    const { ledger, got, done } = listen(player, "a");
    await vi.advanceTimersByTimeAsync(3000);
    expect(got.flatMap(({ records }) => records)).toEqual([[1], [2], [3]]);
    expect(countersOf(ledger)).toEqual([3, 0, 0, 3]);
    player.close();
    await done;
  });

  it("begins anew when all readers were closed and one opens again", async () => {
    const session = twoStreams();
    session.engine.close();
    const player = play(session.recording());
    const first = listen(player, "a");
    await vi.advanceTimersByTimeAsync(1500);
    first.map.close();
    await first.done;
    await vi.advanceTimersByTimeAsync(60_000);
    const second = listen(player, "a");
    await vi.advanceTimersByTimeAsync(500);
    expect(second.got.map(({ records }) => records)).toEqual([[[1], [2, 2]]]);
    expect(countersOf(second.ledger)).toEqual([5, 3, 0, 2]);
    player.close();
    await second.done;
  });

  it("ends an iteration when its signal is aborted", async () => {
    const session = twoStreams();
    session.engine.close();
    const player = play(session.recording());
    const controller = new AbortController();
    const { got, done } = listen(player, "a", { signal: controller.signal });
    await vi.advanceTimersByTimeAsync(500);
    controller.abort();
    await done;
    expect(got).toHaveLength(1);
    player.close();
  });

  it("hands out at most as many records at once as asked", async () => {
    const session = twoStreams();
    session.engine.close();
    const player = play(session.recording());
    const reader = player.createMap(ring("a"), undefined, undefined).records({ maxRecords: 1 });
    expect([reader.poll(), reader.poll()].map((batch) => batch && recordsOf(batch))).toEqual([[[1]], [[2, 2]]]);
    expect(reader.poll()).toBeUndefined();
    player.close();
    expect(() => reader.poll()).toThrow(ClosedError);
  });

  it("accepts programs without running them, and refuses what was not recorded", () => {
    const session = twoStreams();
    session.engine.close();
    const player = play(session.recording());
    const spec = { name: "on_exec" } as ProgramSpec;
    const program = player.loadProgram({ spec, instructions: new Uint8Array(), maps: new Map(), types: undefined });
    const link = player.attach(program, { rawTracepoint: "sched_process_exec" });
    link.close();
    program.close();
    expect(() => player.createMap(ring("other"), undefined, undefined)).toThrow(NotFoundError);
    const larger = specOf("a_ledger", MapType.PERCPU_ARRAY, 4, 40);
    expect(() => player.createMap(larger, undefined, undefined)).toThrow(InvalidValueError);
    player.close();
    expect(() => player.createMap(ring("a"), undefined, undefined)).toThrow(ClosedError);
    expect(() => play(session.recording(), { speed: 0 })).toThrow(InvalidValueError);
  });

  it("records at most four snapshots a second, and hands the engine its own maps", () => {
    const session = new Session();
    session.open("a");
    for (let i = 0; i < 20; i++) {
      session.deliver("a", [[i]]);
      session.clock += 50_000_000n;
    }
    const { inner, engine } = session;
    const map = engine.createMap(ring("other"), undefined, undefined);
    const spec = { name: "on_exec" } as ProgramSpec;
    engine.loadProgram({ spec, instructions: new Uint8Array(), maps: new Map([["other", map]]), types: undefined });
    expect(inner.loaded[0]?.maps.get("other")).toBe(inner.made.get("other"));
    engine.close();
    engine.close();
    expect(inner.closed).toBe(1);
    const ledger = session.recording().maps.find(({ name }) => name === "a_ledger");
    expect(ledger?.snapshots.map(({ clock }) => Number(clock - 500_000_000_000n) / 1e6)).toEqual([
      0, 250, 500, 750, 1000,
    ]);
    expect(session.recording().complete).toBe(true);
  });

  it("closes the engine although the recording cannot be written", () => {
    const inner = new FakeEngine();
    let full = false;
    const write = () => {
      if (full) throw new Error("no space left");
    };
    const engine = new RecordingEngine(inner, { write, node: "n", kernel: "k", cpus: 1, objects: [] });
    full = true;
    expect(() => engine.close()).toThrow("no space left");
    expect(inner.closed).toBe(1);
  });
});
