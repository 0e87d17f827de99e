// SPDX-License-Identifier: Apache-2.0

import { appendFileSync, copyFileSync, readFileSync } from "node:fs";
import { type AttachTarget, InvalidValueError, NotSupportedError } from "@skep/ebpf";
import { detachedMount, executableSymbols, findExecutable, hasProbeEvents, usdtSites } from "@skep/linux";
import { TempFolder, UsdtProgram, waitUntil } from "@skep/testbed";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { kernelDescriptors, loadObject } from "../test-objects/load-object.ts";
import { orSkip } from "../test-objects/or-skip.ts";
import { KernelLink } from "./kernel-link.ts";
import { newerThanKernel } from "./minimum-version.ts";
import { unpin } from "./pin.ts";

const wanted = process.pid;
const load = (...programs: string[]) => loadObject("links-probes", { variables: { wanted }, programs });
const libc = findExecutable("libc.so.6") ?? "";
/** Whether the kernel says what a perf event is. */
const told = newerThanKernel("6.6") === undefined;
/** The kernel function behind getppid(2). */
const sysGetppid = process.arch === "arm64" ? "__arm64_sys_getppid" : "__x64_sys_getppid";

function callGetppid(times: number): void {
  for (let i = 0; i < times; i++) expect(process.ppid).toBeGreaterThan(0);
}

/** This process's events in tracefs. */
function ownEvents(kind: "uprobe" | "kprobe"): string[] {
  using mount = detachedMount("tracefs");
  const lines = readFileSync(`/proc/self/fd/${mount.number}/${kind}_events`, "utf8").split("\n");
  return lines.filter((line) => line.includes(`skep/p${process.pid}_`));
}

afterEach(() => expect(ownEvents("uprobe")).toEqual([]));

describe("a uprobe by tracefs", () => {
  it.each(["uprobe", "uretprobe"])("runs at each %s, with its cookie, until it is closed", (kind) => {
    using object = load("on_uprobe");
    const before = kernelDescriptors().length;
    const code = { file: "libc.so.6", symbol: "getppid" };
    const options = { cookie: 5n, tracefs: true };
    const target = kind === "uprobe" ? { uprobe: code, ...options } : { uretprobe: code, ...options };
    const link = object.collection.program("on_uprobe").attach(target);
    expect(ownEvents("uprobe")).toEqual([expect.stringMatching(new RegExp(`^${kind === "uprobe" ? "p" : "r"}:skep/`))]);
    callGetppid(7);
    expect([object.variable("seen"), object.variable("cookies")]).toEqual([7n, 35n]);
    const offset = executableSymbols(libc).get("getppid")?.offset;
    if (told) expect(link.info()).toMatchObject({ kind: "perf_event", event: kind, path: libc, offset });
    link.close();
    callGetppid(2);
    expect(object.variable("seen")).toBe(7n);
    expect(kernelDescriptors()).toHaveLength(before);
  });

  it("runs in one process only", () => {
    using object = load("on_uprobe");
    const program = object.collection.program("on_uprobe");
    const code = { file: libc, symbol: "getppid" };
    using _other = program.attach({ uprobe: { ...code, pid: process.ppid }, tracefs: true });
    callGetppid(3);
    expect(object.variable("seen")).toBe(0n);
    using _own = program.attach({ uprobe: { ...code, pid: process.pid }, tracefs: true });
    callGetppid(3);
    expect(object.variable("seen")).toBe(3n);
  });

  it("leaves no event behind when the attach fails", () => {
    using object = load("on_uprobe");
    const uprobe = { file: libc, symbol: "getppid", pid: 0x7fff_fff0 };
    expect(() => object.collection.program("on_uprobe").attach({ uprobe, tracefs: true })).toThrow("ESRCH");
    expect(ownEvents("uprobe")).toEqual([]);
  });

  it("takes no path or name that would write another line", () => {
    using object = load("on_uprobe", "on_kprobe");
    using folder = new TempFolder();
    const file = folder.join("with space");
    copyFileSync("/bin/true", file);
    const attach = (program: string, target: AttachTarget) => () => object.collection.program(program).attach(target);
    const words = "tracefs takes neither white space nor #";
    expect(attach("on_uprobe", { uprobe: { file, offset: 0x1000 }, tracefs: true })).toThrow(words);
    expect(attach("on_kprobe", { kprobe: "x\n-:skep/y", tracefs: true })).toThrow(words);
    // Without tracefs the path is no matter.
    attach("on_uprobe", { uprobe: { file, offset: 0x1000 } })().close();
  });

  it("keeps its event while a pin holds the link, and it is removed by its name", async () => {
    using object = load("on_uprobe");
    using mount = detachedMount("bpf");
    const pin = `/proc/self/fd/${mount.number}/link`;
    const target = { uprobe: { file: libc, symbol: "getppid" }, tracefs: true };
    const loaded = object.collection.program("on_uprobe").attach(target);
    if (!(loaded.link instanceof KernelLink)) throw new Error("not a link of the kernel");
    loaded.link.pin(pin);
    loaded.close();
    callGetppid(1);
    expect(object.variable("seen")).toBe(1n);
    const [event = ""] = ownEvents("uprobe");
    unpin(pin);
    using tracefs = detachedMount("tracefs");
    const line = `-:${/skep\/\w+/.exec(event)?.[0]}\n`;
    // The kernel gives the unpinned link up a moment later.
    const path = `/proc/self/fd/${tracefs.number}/uprobe_events`;
    await waitUntil("the removal of the event", () => {
      attempt(() => appendFileSync(path, line));
      return ownEvents("uprobe").length === 0;
    });
    callGetppid(1);
    expect(object.variable("seen")).toBe(1n);
  });
});

describe("a uprobe's reference counter", () => {
  let app: UsdtProgram;
  beforeAll(() => {
    app = new UsdtProgram("pie");
  });
  afterAll(() => app[Symbol.dispose]());

  it.each([false, true])("is raised while the probe is there, by tracefs: %s", async (tracefs) => {
    const site = usdtSites(app.path).find(({ name }) => name === "watched");
    using object = load("on_uprobe");
    await using running = app.start();
    expect(await running.fire()).toBe(0);
    const uprobe = { file: app.path, offset: site?.offset ?? 0, referenceCounter: site?.semaphoreOffset ?? 0 };
    const link = object.collection.program("on_uprobe").attach({ uprobe, tracefs });
    expect(await running.fire()).toBe(1);
    link.close();
    expect(await running.fire()).toBe(0);
  });

  it("is raised by a uprobe_multi link", async (ctx) => {
    const site = usdtSites(app.path).find(({ name }) => name === "watched");
    using object = load("on_uprobe_multi");
    await using running = app.start();
    const uprobeMulti = {
      file: app.path,
      offsets: [site?.offset ?? 0],
      referenceCounters: [site?.semaphoreOffset ?? 0],
    };
    const link = orSkip(ctx, () => object.collection.program("on_uprobe_multi").attach({ uprobeMulti }));
    expect(await running.fire()).toBe(1);
    link.close();
    expect(await running.fire()).toBe(0);
  });
});

describe("a kprobe by tracefs", () => {
  it.for(["kprobe", "kretprobe", "maxActive"])("runs at each %s of a kernel function", (kind, ctx) => {
    if (!hasProbeEvents("kprobe")) ctx.skip("the kernel has no kprobes");
    using object = load("on_kprobe");
    const target =
      kind === "kprobe"
        ? { kprobe: sysGetppid, tracefs: true, cookie: 2n }
        : { kretprobe: sysGetppid, cookie: 2n, ...(kind === "maxActive" ? { maxActive: 7 } : { tracefs: true }) };
    const link = object.collection.program("on_kprobe").attach(target);
    const [event = ""] = ownEvents("kprobe");
    if (kind === "maxActive") expect(event).toMatch(/^r7:skep\//);
    callGetppid(5);
    expect([object.variable("seen"), object.variable("cookies")]).toEqual([5n, 10n]);
    if (told) expect(link.info()).toMatchObject({ event: kind === "kprobe" ? kind : "kretprobe", symbol: sysGetppid });
    link.close();
    callGetppid(1);
    expect(object.variable("seen")).toBe(5n);
    expect(ownEvents("kprobe")).toEqual([]);
  });

  it("says that there is no such function", (ctx) => {
    if (!hasProbeEvents("kprobe")) ctx.skip("the kernel has no kprobes");
    using object = load("on_kprobe");
    const attach = () => object.collection.program("on_kprobe").attach({ kprobe: "no_such_function", tracefs: true });
    expect(attach).toThrow(InvalidValueError);
    expect(ownEvents("kprobe")).toEqual([]);
  });

  it("is refused in words where the kernel has none", (ctx) => {
    if (hasProbeEvents("kprobe")) ctx.skip("the kernel has kprobes");
    using object = load("on_kprobe");
    const attach = (target: { kprobe: string; tracefs: true } | { kretprobe: string; maxActive: number }) => () =>
      object.collection.program("on_kprobe").attach(target);
    expect(attach({ kprobe: sysGetppid, tracefs: true })).toThrow(NotSupportedError);
    expect(attach({ kretprobe: sysGetppid, maxActive: 0 })).toThrow("maxActive is 0, a whole number above 0 is wanted");
  });
});

describe("a kprobe", () => {
  it("runs at an instruction inside of its function", (ctx) => {
    if (!hasProbeEvents("kprobe")) ctx.skip("the kernel has no kprobes");
    using object = load("on_kprobe");
    const program = object.collection.program("on_kprobe");
    // The first instruction, endbr64 or a call to ftrace or a nop, has 4 or 5 bytes on either architecture.
    const attach = (offset: number) => program.attach({ kprobe: sysGetppid, offset });
    using link = attempt(() => attach(4)) ?? attach(5);
    callGetppid(3);
    expect(object.variable("seen")).toBe(3n);
    if (told) expect(link.info()).toMatchObject({ event: "kprobe", symbol: sysGetppid });
  });
});

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
