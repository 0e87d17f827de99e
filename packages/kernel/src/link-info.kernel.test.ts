// SPDX-License-Identifier: Apache-2.0

import { executableSymbols, findExecutable, hasProbeEvents, PerfType, usdtSites } from "@skep/linux";
import { UsdtProgram } from "@skep/testbed";
import { describe, expect, it, type TestContext } from "vitest";
import { loadObject } from "../test-objects/load-object.ts";
import { newerThanKernel } from "./minimum-version.ts";

const probes = (...programs: string[]) => loadObject("links-probes", { variables: { wanted: process.pid }, programs });
const libc = findExecutable("libc.so.6") ?? "";
/** The cookie is told since 6.9. */
const cookie = newerThanKernel("6.9") === undefined ? 7n : 0n;

function needsInfo(ctx: TestContext): void {
  if (newerThanKernel("6.6") !== undefined) ctx.skip("what a perf event is, the kernel tells since Linux 6.6");
}

describe("the kernel tells about a link to", () => {
  it.for(["uprobe", "uretprobe"] as const)("a %s: its file, place and cookie", (event, ctx) => {
    needsInfo(ctx);
    using object = probes("on_uprobe");
    const code = { file: libc, symbol: "getppid" };
    const target = event === "uprobe" ? { uprobe: code, cookie: 7n } : { uretprobe: code, cookie: 7n };
    using link = object.collection.program("on_uprobe").attach(target);
    const info = link.info();
    const offset = executableSymbols(libc).get("getppid")?.offset;
    expect(info).toEqual({
      kind: "perf_event",
      id: info.id,
      programId: object.program("on_uprobe").info().id,
      event,
      path: libc,
      offset,
      referenceCounter: 0n,
      cookie,
    });
  });

  it("a uprobe with a reference counter: where that is", (ctx) => {
    if (newerThanKernel("6.17") !== undefined) ctx.skip("the kernel tells of reference counters since Linux 6.17");
    using app = new UsdtProgram("pie");
    const site = usdtSites(app.path).find(({ name }) => name === "watched");
    using object = probes("on_uprobe");
    const uprobe = { file: app.path, offset: site?.offset ?? 0, referenceCounter: site?.semaphoreOffset ?? 0 };
    using link = object.collection.program("on_uprobe").attach({ uprobe });
    expect(link.info()).toMatchObject({
      event: "uprobe",
      offset: site?.offset,
      referenceCounter: BigInt(site?.semaphoreOffset ?? 0),
    });
  });

  it("a tracepoint: its name and cookie", (ctx) => {
    needsInfo(ctx);
    using object = loadObject("links", { programs: ["on_tracepoint"] });
    const target = { tracepoint: "sched:sched_process_exec", cookie: 7n };
    using link = object.collection.program("on_tracepoint").attach(target);
    expect(link.info()).toMatchObject({ kind: "perf_event", event: "tracepoint", name: "sched_process_exec", cookie });
  });

  it("another perf event: its number and cookie", (ctx) => {
    needsInfo(ctx);
    using object = loadObject("links", { programs: ["on_tick"] });
    const perfEvent = { event: "software:page-faults", period: 1_000_000, pid: process.pid };
    using link = object.collection.program("on_tick").attach({ perfEvent, cookie: 7n });
    expect(link.info()).toMatchObject({ event: "event", type: PerfType.SOFTWARE, config: 2n, cookie });
  });

  it.for(["kprobe", "kretprobe"] as const)("a %s: its function and cookie", (event, ctx) => {
    needsInfo(ctx);
    if (!hasProbeEvents("kprobe")) ctx.skip("the kernel has no kprobes");
    using object = probes("on_kprobe");
    const symbol = process.arch === "arm64" ? "__arm64_sys_getppid" : "__x64_sys_getppid";
    const target = event === "kprobe" ? { kprobe: symbol, cookie: 7n } : { kretprobe: symbol, cookie: 7n };
    using link = object.collection.program("on_kprobe").attach(target);
    expect(link.info()).toMatchObject({ kind: "perf_event", event, symbol, offset: 0, missed: 0n, cookie });
  });
});
