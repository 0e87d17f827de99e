// SPDX-License-Identifier: Apache-2.0

import type { Engine } from "@skep/ebpf";
import type { RowWriter } from "@skep/rows";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { createLogger } from "./logger.ts";
import type { Manifest } from "./manifest.ts";
import { createMetrics } from "./metrics.ts";
import type { WorkloadPhase } from "./status.ts";
import type { Workload, WorkloadContext } from "./workload.ts";
import { WorkloadSet, type WorkloadSetOptions } from "./workload-set.ts";

interface EchoSpec {
  readonly port: number;
}

/** A kind whose workloads do nothing but say what is done to them; ports and names can be made to fail. */
class EchoKind implements Workload<EchoSpec> {
  readonly kind = "Echo";
  readonly schema = z.strictObject({ port: z.int() });
  readonly journal: string[] = [];
  readonly badPorts = new Set<number>();
  readonly badClose = new Set<string>();
  readonly inForce = new Map<string, EchoSpec>();
  readonly phases = new Map<string, WorkloadPhase>();
  readonly contexts = new Map<string, WorkloadContext>();
  /** Runs within every start and apply. */
  pause: (context: WorkloadContext) => Promise<void> = async () => undefined;

  streams(): [] {
    return [];
  }

  async start(spec: EchoSpec, context: WorkloadContext): ReturnType<Workload<EchoSpec>["start"]> {
    const { name } = context;
    this.contexts.set(name, context);
    await this.#take("start", name, spec, context);
    this.phases.set(name, "Running");
    return {
      apply: (next) => this.#take("apply", name, next, context),
      status: () => ({ phase: this.phases.get(name) ?? "Failed", conditions: [], generation: 1 }),
      close: async () => {
        this.journal.push(`close ${name}`);
        this.inForce.delete(name);
        if (this.badClose.has(name)) throw new Error(`${name} clings`);
      },
      [Symbol.asyncDispose]: () => Promise.reject(new Error("the set calls close")),
    };
  }

  async #take(verb: string, name: string, spec: EchoSpec, context: WorkloadContext): Promise<void> {
    this.journal.push(`${verb} ${name} ${spec.port}`);
    await this.pause(context);
    if (this.badPorts.has(spec.port)) throw new Error(`port ${spec.port} is taken`);
    this.inForce.set(name, spec);
  }

  takeJournal(): string[] {
    return this.journal.splice(0);
  }
}

function manifest(
  name: string,
  port: number,
  changes: { labels?: Record<string, string>; base?: string } = {},
): Manifest {
  return {
    apiVersion: "skep/v1alpha1",
    kind: "Echo",
    metadata: { name, labels: changes.labels ?? {} },
    spec: { port },
    source: { file: "edge.yaml", base: changes.base ?? "/etc/skep", document: 0, line: 1 },
  };
}

/** The fake kind touches neither. */
const untouched = <T>(): T => Object.freeze({}) as T;

describe("WorkloadSet", () => {
  let echo: EchoKind;
  let set: WorkloadSet;
  let logged: { level: number; msg: string; workload?: string }[];
  let told: string[];

  const create = (options: Partial<WorkloadSetOptions> = {}): WorkloadSet =>
    new WorkloadSet({
      kinds: [echo],
      engine: untouched<Engine>(),
      node: "test-node",
      rows: untouched<RowWriter>(),
      openSink: () => expect.fail("the fake kind opens no sink"),
      logger: createLogger({ destination: { write: (line) => void logged.push(JSON.parse(line)) } }),
      metrics: createMetrics(),
      onChange: ({ name, status }) => void told.push(`${name} ${status.phase}`),
      ...options,
    });

  beforeEach(() => {
    echo = new EchoKind();
    logged = [];
    told = [];
    set = create();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await set.close().catch(() => undefined);
  });

  const condition = (name: string, type: string): unknown =>
    set
      .status()
      .find((report) => report.name === name)
      ?.status.conditions.find((each) => each.type === type);

  it("starts what is new, applies what changed, ends what is gone", async () => {
    await set.reconcile([manifest("a", 1), manifest("b", 2), manifest("c", 3)]);
    expect(echo.takeJournal()).toEqual(["start a 1", "start b 2", "start c 3"]);
    const reports = await set.reconcile([manifest("b", 20), manifest("d", 4)]);
    expect(echo.takeJournal()).toEqual(["close c", "close a", "apply b 20", "start d 4"]);
    expect(reports).toEqual(set.status());
    expect(reports.map(({ name, status }) => [name, status.phase, status.generation])).toEqual([
      ["b", "Running", 2],
      ["d", "Running", 1],
    ]);
    expect(reports[0]).toMatchObject({ kind: "Echo", labels: {}, file: "edge.yaml" });
    expect(condition("b", "SpecAccepted")).toMatchObject({ status: "True", reason: "InForce" });
  });

  it("does nothing when nothing changed", async () => {
    const wanted = [manifest("a", 1), manifest("b", 2)];
    await set.reconcile(wanted);
    echo.takeJournal();
    told = [];
    await set.reconcile(structuredClone(wanted));
    expect(echo.takeJournal()).toEqual([]);
    expect(told).toEqual([]);
  });

  it("gives each workload its context", async () => {
    await set.reconcile([manifest("a", 1, { labels: { site: "ams" }, base: "/srv" })]);
    const context = echo.contexts.get("a");
    expect(context).toMatchObject({ name: "a", labels: { site: "ams" }, base: "/srv", node: "test-node" });
    expect(context?.signal.aborted).toBe(false);
    expect(Object.keys(context ?? {})).not.toContain("kinds");
    context?.logger.info("hello");
    expect(logged.at(-1)).toMatchObject({ kind: "Echo", workload: "a", msg: "hello" });
    await set.reconcile([]);
    expect(context?.signal.aborted).toBe(true);
  });

  it("takes over changed labels without disturbing the workload", async () => {
    await set.reconcile([manifest("a", 1)]);
    echo.takeJournal();
    await set.reconcile([manifest("a", 1, { labels: { site: "fra" } })]);
    expect(echo.takeJournal()).toEqual([]);
    expect(set.status()[0]?.labels).toEqual({ site: "fra" });
    expect(echo.contexts.get("a")?.labels).toEqual({ site: "fra" });
  });

  it("starts anew what now resolves its paths from another folder", async () => {
    await set.reconcile([manifest("a", 1)]);
    echo.takeJournal();
    await set.reconcile([manifest("a", 1, { base: "/srv" })]);
    expect(echo.takeJournal()).toEqual(["close a", "start a 1"]);
    expect(echo.contexts.get("a")?.base).toBe("/srv");
  });

  it("leaves the others alone when one cannot start, and says why", async () => {
    echo.badPorts.add(2);
    await set.reconcile([manifest("a", 1), manifest("b", 2), manifest("c", 3)]);
    expect(set.status().map(({ name, status }) => `${name} ${status.phase}`)).toEqual([
      "a Running",
      "b Failed",
      "c Running",
    ]);
    expect(condition("b", "Ready")).toMatchObject({
      status: "False",
      reason: "StartFailed",
      message: "port 2 is taken",
    });
    expect(set.status()[1]?.status.generation).toBe(0);
    expect(echo.contexts.get("b")?.signal.aborted).toBe(true);
    expect(logged.filter(({ level }) => level === 50)).toMatchObject([{ msg: "start failed", workload: "b" }]);
    expect(told).toEqual(["a Starting", "a Running", "b Starting", "b Failed", "c Starting", "c Running"]);
  });

  it("tries a failed start again on the next reconcile and on retry", async () => {
    echo.badPorts.add(1);
    await set.reconcile([manifest("a", 1)]);
    await set.reconcile([manifest("a", 1)]);
    await set.retry();
    expect(echo.takeJournal()).toEqual(["start a 1", "start a 1", "start a 1"]);
    echo.badPorts.clear();
    await set.retry();
    await set.retry();
    expect(echo.takeJournal()).toEqual(["start a 1"]);
    expect(set.status()[0]?.status).toMatchObject({ phase: "Running", generation: 1 });
  });

  it("tries again by itself, after 1 s, 2 s, 4 s up to 60 s, for as long as it is wanted", async () => {
    vi.useFakeTimers();
    echo.badPorts.add(1);
    await set.reconcile([manifest("a", 1)]);
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      echo.takeJournal();
      await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
      expect(echo.takeJournal()).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      expect(echo.takeJournal()).toEqual(["start a 1"]);
    }
    await set.reconcile([]);
    echo.takeJournal();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(echo.takeJournal()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("starts the pauses over once the spec changed or it came into force", async () => {
    vi.useFakeTimers();
    echo.badPorts.add(1).add(2);
    await set.reconcile([manifest("a", 1)]);
    await vi.advanceTimersByTimeAsync(3000);
    await set.reconcile([manifest("a", 2)]);
    echo.takeJournal();
    await vi.advanceTimersByTimeAsync(1000);
    expect(echo.takeJournal()).toEqual(["start a 2"]);
    echo.badPorts.clear();
    await vi.advanceTimersByTimeAsync(2000);
    expect(set.status()[0]?.status.phase).toBe("Running");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps the old spec in force when a new one is refused, and says so", async () => {
    await set.reconcile([manifest("a", 1), manifest("b", 2)]);
    echo.badPorts.add(9);
    await set.reconcile([manifest("a", 9), manifest("b", 3)]);
    expect(echo.inForce).toEqual(
      new Map([
        ["a", { port: 1 }],
        ["b", { port: 3 }],
      ]),
    );
    expect(set.status()[0]?.status).toMatchObject({ phase: "Degraded", generation: 1 });
    expect(condition("a", "SpecAccepted")).toMatchObject({
      status: "False",
      reason: "ApplyFailed",
      message: "port 9 is taken",
    });
    echo.takeJournal();

    // Back to the old one: nothing to do, and nothing to complain of.
    await set.reconcile([manifest("a", 1), manifest("b", 3)]);
    expect(echo.takeJournal()).toEqual([]);
    expect(set.status()[0]?.status).toMatchObject({ phase: "Running", generation: 1 });

    await set.reconcile([manifest("a", 9), manifest("b", 3)]);
    echo.badPorts.clear();
    await set.retry();
    expect(echo.takeJournal()).toEqual(["apply a 9", "apply a 9"]);
    expect(echo.inForce.get("a")).toEqual({ port: 9 });
    expect(set.status()[0]?.status).toMatchObject({ phase: "Running", generation: 2 });
  });

  it("starts anew, when next asked, what ended by itself", async () => {
    await set.reconcile([manifest("a", 1), manifest("b", 2)]);
    echo.takeJournal();
    echo.phases.set("a", "Failed");
    expect(set.status()[0]?.status.phase).toBe("Failed");
    echo.badClose.add("a");
    await set.reconcile([manifest("a", 1), manifest("b", 2)]);
    expect(echo.takeJournal()).toEqual(["close a", "start a 1"]);
    expect(set.status()[0]?.status.phase).toBe("Running");
  });

  it("starts anew by itself, after a pause, what says that it failed", async () => {
    vi.useFakeTimers();
    await set.reconcile([manifest("a", 1)]);
    echo.takeJournal();
    echo.phases.set("a", "Failed");
    echo.contexts.get("a")?.changed();
    expect(told.at(-1)).toBe("a Failed");
    await vi.advanceTimersByTimeAsync(999);
    expect(echo.takeJournal()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(echo.takeJournal()).toEqual(["close a", "start a 1"]);
    expect(told.at(-1)).toBe("a Running");
  });

  it("runs overlapping calls one after another", async () => {
    let under = 0;
    echo.pause = async () => {
      expect(++under).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      under--;
    };
    const calls = [
      set.reconcile([manifest("a", 1)]),
      set.reconcile([manifest("a", 2), manifest("b", 1)]),
      set.reconcile([manifest("b", 1)]),
    ];
    await Promise.all(calls);
    expect(echo.takeJournal()).toEqual(["start a 1", "apply a 2", "start b 1", "close a"]);
  });

  it("refuses unknown kinds and names given twice, and has done nothing then", async () => {
    await set.reconcile([manifest("a", 1)]);
    echo.takeJournal();
    await expect(set.reconcile([{ ...manifest("b", 1), kind: "Ecko" }])).rejects.toMatchObject({
      code: "ERR_NOT_FOUND",
    });
    await expect(set.reconcile([manifest("b", 1), manifest("b", 2)])).rejects.toThrow("Echo b is wanted twice");
    expect(echo.takeJournal()).toEqual([]);
    await set.reconcile([manifest("a", 2)]);
    expect(echo.takeJournal()).toEqual(["apply a 2"]);
  });

  it("goes on when something that is gone does not close cleanly", async () => {
    await set.reconcile([manifest("a", 1), manifest("b", 2)]);
    echo.badClose.add("b");
    await set.reconcile([manifest("c", 3)]);
    expect(set.status().map(({ name }) => name)).toEqual(["c"]);
    expect(echo.takeJournal().slice(2)).toEqual(["close b", "close a", "start c 3"]);
    expect(logged.filter(({ level }) => level === 50)).toMatchObject([{ msg: "did not close cleanly", workload: "b" }]);
  });

  it("closes all, the last first, even when one fails, and only once", async () => {
    await set.reconcile([manifest("a", 1), manifest("b", 2), manifest("c", 3)]);
    echo.takeJournal();
    echo.badClose.add("b").add("c");
    const closed = set.close();
    await expect(closed).rejects.toMatchObject({
      code: "ERR_WORKLOAD_CLOSE",
      message: "did not close cleanly: Echo c (c clings), Echo b (b clings)",
      cause: { errors: [new Error("c clings"), new Error("b clings")] },
    });
    expect(set.close()).toBe(closed);
    expect(echo.takeJournal()).toEqual(["close c", "close b", "close a"]);
    expect(set.status()).toEqual([]);
    await expect(set.reconcile([])).rejects.toMatchObject({ code: "ERR_CLOSED" });
  });

  it("tells a start under way to give up when it is closed, and starts no more", async () => {
    echo.pause = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("gave up")), { once: true }));
    const reconciled = set.reconcile([manifest("a", 1), manifest("b", 2)]);
    const queued = set.reconcile([manifest("c", 3)]);
    await vi.waitFor(() => expect(echo.journal).toEqual(["start a 1"]));
    await set.close();
    await reconciled;
    await expect(queued).rejects.toMatchObject({ code: "ERR_CLOSED" });
    expect(echo.takeJournal()).toEqual(["start a 1"]);
  });

  it("leaves no timer behind when closed", async () => {
    vi.useFakeTimers();
    echo.badPorts.add(1);
    await set.reconcile([manifest("a", 1)]);
    expect(vi.getTimerCount()).toBe(1);
    await set.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends with exactly what was wanted last, whatever was wanted before, where it could", async () => {
    const wantedSet = fc.uniqueArray(
      fc.record({ name: fc.constantFrom("a", "b", "c", "d"), port: fc.integer({ min: 1, max: 4 }) }),
      {
        selector: ({ name }) => name,
      },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(wantedSet, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (history, overlapping) => {
          echo = new EchoKind();
          echo.badPorts.add(4);
          await using subject = create({ kinds: [echo], backoff: { first: 1e6, last: 1e6 } });
          const expected = new Map<string, EchoSpec>();
          const calls: Promise<unknown>[] = [];
          for (const wanted of history) {
            const call = subject.reconcile(wanted.map(({ name, port }) => manifest(name, port)));
            calls.push(call);
            if (!overlapping) await call;
            for (const name of expected.keys()) if (!wanted.some((each) => each.name === name)) expected.delete(name);
            for (const { name, port } of wanted) if (port !== 4) expected.set(name, { port });
          }
          await Promise.all(calls);
          expect(echo.inForce).toEqual(expected);
          echo.takeJournal();
          const last = history.at(-1) ?? [];
          await subject.reconcile(last.map(({ name, port }) => manifest(name, port)));
          expect(echo.takeJournal().filter((entry) => !entry.endsWith(" 4"))).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });
});
