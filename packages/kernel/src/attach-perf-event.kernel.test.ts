// SPDX-License-Identifier: Apache-2.0

import { addressOf, kernelVersion, openPerfEvent, PerfType } from "@skep/linux";
import { describe, expect, it } from "vitest";
import { kernelDescriptors, loadObject } from "../test-objects/load-object.ts";
import { orSkip } from "../test-objects/or-skip.ts";
import { runForPerfEvent } from "./attach-perf-event.ts";
import { newerThanKernel } from "./minimum-version.ts";

const load = () => loadObject("links", { programs: ["on_tick"] });
const [major, minor] = kernelVersion();
/** Whether the kernel says what a perf event is. */
const told = newerThanKernel("6.6") === undefined;
const toldCookie = major > 6 || (major === 6 && minor >= 9);

/** Keeps this thread busy for so many milliseconds. */
function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe("a perf event", () => {
  it.for([
    ["software:task-clock", 1n, () => spin(5)],
    // Memory that was never touched: each page of it is a fault. So much is always new, never what was freed before.
    ["software:page-faults", 2n, () => new Uint8Array(40 << 20).fill(1)],
    ["software:context-switches", 3n, () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)],
  ] as const)("runs the program when this thread has the event %s", ([event, config, cause]) => {
    using object = load();
    const period = event === "software:task-clock" ? 100_000 : 1;
    const link = object.collection
      .program("on_tick")
      .attach({ perfEvent: { event, period, pid: process.pid }, cookie: 5n });
    cause();
    expect(object.variable("ticks")).toBeGreaterThan(0n);
    const info = link.info();
    expect(info.kind).toBe("perf_event");
    if (told) expect(info).toMatchObject({ event: "event", config });
    if (toldCookie) expect(info).toMatchObject({ cookie: 5n });
    link.close();
    const ticks = object.variable("ticks");
    cause();
    expect(object.variable("ticks")).toBe(ticks);
  });

  it.for(["hardware:instructions", "hw-cache:l1d:read:access", "raw:0xc0"])(
    "runs the program as the processor counts %s",
    (event, ctx) => {
      using object = load();
      const perfEvent = { event, period: 100_000, pid: process.pid };
      const program = object.collection.program("on_tick");
      using _link = orSkip(ctx, () => program.attach({ perfEvent }), "the processor shows no counters");
      spin(20);
      expect(object.variable("ticks")).toBeGreaterThan(0n);
    },
  );

  it("runs the program for each access to a place in memory", (ctx) => {
    using object = load();
    const words = new Int32Array(4);
    const event = `breakpoint:0x${addressOf(words).toString(16)}/4:w`;
    const perfEvent = { event, period: 1, pid: process.pid };
    const program = object.collection.program("on_tick");
    const link = orSkip(ctx, () => program.attach({ perfEvent }), "the processor shows no breakpoints");
    for (let i = 0; i < 5; i++) Atomics.store(words, 0, i);
    Atomics.store(words, 1, 1);
    expect(object.variable("ticks")).toBe(5n);
    if (told) expect(link.info()).toMatchObject({ event: "event", type: PerfType.BREAKPOINT });
    link.close();
    Atomics.store(words, 0, 9);
    expect(object.variable("ticks")).toBe(5n);
  });

  it("may be one that the caller opened, who may close it", () => {
    using object = load();
    const before = kernelDescriptors().length;
    const event = openPerfEvent({ type: PerfType.SOFTWARE, config: 1, period: 100_000, pid: process.pid });
    const link = object.collection.program("on_tick").attach({ perfEvent: { fd: event.number } });
    event.close();
    spin(5);
    const ticks = object.variable("ticks");
    expect(ticks).toBeGreaterThan(0n);
    if (told) expect(link.info()).toMatchObject({ kind: "perf_event", event: "event", config: 1n });
    link.close();
    expect(kernelDescriptors()).toHaveLength(before);
    const after = object.variable("ticks");
    spin(5);
    expect(object.variable("ticks")).toBe(after);
    expect(() => object.collection.program("on_tick").attach({ perfEvent: { fd: 0 } })).toThrow(
      "perf event of descriptor 0: bpf(BPF_LINK_CREATE) failed",
    );
  });

  it("runs the program without a link, as before 5.15, until it is closed", () => {
    using object = load();
    const event = openPerfEvent({ type: PerfType.SOFTWARE, config: 1, period: 100_000, pid: process.pid });
    runForPerfEvent(object.program("on_tick"), event, "perf event");
    spin(5);
    expect(object.variable("ticks")).toBeGreaterThan(0n);
    event.close();
    const after = object.variable("ticks");
    spin(5);
    expect(object.variable("ticks")).toBe(after);
  });
});
