// SPDX-License-Identifier: Apache-2.0

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { KernelEngine } from "@skep/kernel";
import { type LedgerSnapshot, MemorySink, RowHub, rowObject, type Sink } from "@skep/rows";
import { asUser, bpfObjects, newBpfObjects, TEST_USER, waitUntil } from "@skep/testbed";
import { createLogger, createMetrics, type RunningWorkload, type WorkloadContext } from "@skep/workload";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collector } from "./collector.ts";
import type { CollectorSpec } from "./collector-spec.ts";

const run = promisify(execFile);
const base = fileURLToPath(new URL("../collectors/exec/", import.meta.url));

/** Only what the test user executes. */
const quiet: CollectorSpec = {
  object: "exec.bpf.o",
  variables: { only_uid: TEST_USER },
  streams: [
    { name: "runs", map: "execs" },
    { name: "ends", map: "exits" },
  ],
};

let memory: MemorySink;
let hub: RowHub;
let context: WorkloadContext;
let running: RunningWorkload<CollectorSpec> | undefined;
let before: ReturnType<typeof bpfObjects>;

beforeEach(() => {
  before = bpfObjects();
  memory = new MemorySink({ rows: 100_000 });
  hub = new RowHub({ sinks: [memory] });
  context = {
    name: "test",
    labels: {},
    engine: new KernelEngine(),
    node: "here",
    rows: hub,
    openSink: refuseSink,
    logger: createLogger({ level: "error" }),
    metrics: createMetrics(),
    base,
    changed: () => undefined,
    signal: new AbortController().signal,
  };
});

afterEach(async () => {
  await running?.close();
  running = undefined;
  await hub.close();
  await remaining(0);
});

/** The kernel frees what was closed a grace period later. */
async function remaining(count: number): Promise<void> {
  await waitUntil(`${count} BPF objects`, () => newBpfObjects(before).length === count);
}

function refuseSink(): Sink {
  throw new Error("no such sink");
}

/** Executes /bin/true as the test user: `count` times, and the shell that does it once. */
async function execute(count: number): Promise<void> {
  const script = 'i=0; while [ $i -lt "$0" ]; do /bin/true $i; i=$((i+1)); done';
  const [file = "", ...args] = asUser([], ["/bin/sh", "-c", script, String(count)]);
  await run(file, args);
}

function rows(stream: string): ReturnType<typeof rowObject>[] {
  return memory
    .batches(stream)
    .flatMap((batch) => Array.from({ length: batch.length }, (_, row) => rowObject(batch, row)));
}

function ledger(stream: string): LedgerSnapshot {
  const found = hub.ledgers().find((snapshot) => snapshot.stream === stream);
  if (found === undefined) throw new Error(`no ledger of ${stream}`);
  return found;
}

async function atRest(stream: string): Promise<LedgerSnapshot> {
  return await waitUntil("the ledger to agree", () => {
    const snapshot = ledger(stream);
    return snapshot.differences.length === 0 && snapshot.sinks.every(({ pending }) => pending === 0) && snapshot;
  });
}

describe("a collector whose spec changes", () => {
  it("goes on without a gap when only its columns, descriptions and sinks do", async () => {
    running = await collector.start(quiet, context);
    const producing = execute(400);
    for (let i = 0; i < 10; i++) {
      const columns = i % 2 === 0 ? [{ name: "pid" }, { name: "args", description: `the ${i}th` }] : undefined;
      await running.apply({
        ...quiet,
        streams: [
          { name: "runs", map: "execs", columns },
          { name: "ends", map: "exits" },
        ],
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await producing;
    const snapshot = await atRest("runs");
    expect(snapshot.kernel?.submitted).toBe(401);
    expect(snapshot.sinks).toMatchObject([{ written: 401, dropped: 0 }]);
    expect(new Set(rows("runs").map(({ args }) => String(args))).size).toBe(401);
  });

  it("keeps what its programs remember when its variables do, and its ledger goes on", async () => {
    running = await collector.start(quiet, context);
    const [file = "", ...args] = asUser([], ["/bin/sleep", "1"]);
    const sleeper = spawn(file, args);
    await waitUntil("its row", () => rows("runs").length === 1);
    await running.apply({ ...quiet, variables: { only_uid: TEST_USER, only_ppid: 0 } });
    await once(sleeper, "exit");
    const [end] = await waitUntil("its end", () => rows("ends").length > 0 && rows("ends"));
    expect(end).toMatchObject({ pid: sleeper.pid, exec_time: rows("runs")[0]?.["time"] });
    expect(ledger("runs").kernel?.submitted).toBe(1);
    await execute(3);
    expect((await atRest("runs")).kernel?.submitted).toBe(5);
  });

  it.each([
    ["a sink that cannot be opened", { ...quiet, sinks: [{ ndjson: { path: "x" } }] }],
    ["a stream that another workload has", { ...quiet, streams: [{ name: "taken", map: "execs" }] }],
    [
      "a program that cannot attach",
      { ...quiet, programs: [{ name: "on_exec", attach: { tpBtf: "nothing_of_the_kind" } }] },
    ],
    ["a map for two streams", { ...quiet, streams: [...quiet.streams, { name: "more", map: "execs" }] }],
    ["a variable that does not fit", { ...quiet, variables: { only_uid: -1 } }],
  ] as [string, CollectorSpec][])(
    "refuses %s, at the start leaving nothing, later going on as before",
    async (_, bad) => {
      const taken = hub.open({ name: "taken", columns: [{ name: "x", type: "u32" }] }, { workload: "other" });
      await expect(collector.start(bad, context)).rejects.toThrow();
      await remaining(0);

      running = await collector.start(quiet, context);
      const loaded = newBpfObjects(before).length;
      await expect(running.apply(bad)).rejects.toThrow();
      await remaining(loaded);
      await execute(5);
      expect((await atRest("runs")).sinks).toMatchObject([{ written: 6 }]);
      await taken.close();
    },
  );
});

describe("the time of a row", () => {
  it("is one moment, whichever stream tells of it", async () => {
    running = await collector.start(quiet, context);
    await execute(300);
    await waitUntil("all ends", () => rows("ends").length === 301);
    const started = new Map(rows("runs").map(({ pid, time }) => [pid, time]));
    for (const { pid, exec_time } of rows("ends")) expect(exec_time).toBe(started.get(pid));
  });
});
