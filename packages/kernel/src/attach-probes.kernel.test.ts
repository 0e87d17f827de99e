// SPDX-License-Identifier: Apache-2.0

import { readFileSync, realpathSync } from "node:fs";
import { NotSupportedError, VerifierError } from "@skep/ebpf";
import { executableSymbols, findExecutable, hasProbeEvents, isSystemCallError, kernelVersion } from "@skep/linux";
import { describe, expect, it, type TestContext } from "vitest";
import { kernelDescriptors, type LoadedObject, loadObject } from "../test-objects/load-object.ts";
import { orSkip } from "../test-objects/or-skip.ts";

const wanted = process.pid;
const load = (...programs: string[]) => loadObject("links-probes", { variables: { wanted }, programs });
const libc = findExecutable("libc.so.6") ?? "";

/** Calls libc's getppid() so many times, and with it the system call. */
function callGetppid(times: number): void {
  for (let i = 0; i < times; i++) expect(process.ppid).toBeGreaterThan(0);
}

describe("a uprobe", () => {
  it.each(["uprobe", "uretprobe"])("runs at each %s of a library's function, with its cookie", (kind) => {
    using object = load("on_uprobe");
    const before = kernelDescriptors().length;
    const code = { file: "libc.so.6", symbol: "getppid" };
    const target = kind === "uprobe" ? { uprobe: code, cookie: 5n } : { uretprobe: code, cookie: 5n };
    const link = object.collection.program("on_uprobe").attach(target);
    callGetppid(7);
    expect([object.variable("seen"), object.variable("cookies")]).toEqual([7n, 35n]);
    const [major, minor] = kernelVersion();
    const told = major > 6 || (major === 6 && minor >= 6);
    expect(link.info()).toMatchObject({ kind: "perf_event", ...(told && { event: kind }) });
    expect(() => link.update(object.collection.program("on_uprobe"))).toThrow(NotSupportedError);
    expect(() => link.detach()).toThrow(NotSupportedError);
    link.close();
    callGetppid(2);
    expect(object.variable("seen")).toBe(7n);
    expect(kernelDescriptors()).toHaveLength(before);
  });

  it("runs in one process only, at an offset of the file", () => {
    using object = load("on_uprobe");
    const offset = executableSymbols(libc).get("getppid")?.offset ?? 0;
    const program = object.collection.program("on_uprobe");
    using _other = program.attach({ uprobe: { file: libc, offset, pid: process.ppid } });
    callGetppid(3);
    expect(object.variable("seen")).toBe(0n);
    using _own = program.attach({ uprobe: { file: libc, offset, pid: process.pid } });
    callGetppid(3);
    expect(object.variable("seen")).toBe(3n);
  });

  it("attaches to what its section names", () => {
    using object = load("on_named_uprobe");
    object.collection.attach();
    callGetppid(4);
    expect(object.variable("seen")).toBe(4n);
  });

  it("says which file or function is missing", () => {
    using object = load("on_uprobe");
    const attach = (file: string, symbol: string) => () =>
      object.collection.program("on_uprobe").attach({ uprobe: { file, symbol } });
    expect(attach("libc.so.6", "no_such")).toThrow('has no function "no_such" in its symbol tables');
    expect(attach("no-such.so", "x")).toThrow('there is no program or library "no-such.so"');
    expect(attach("/etc/passwd", "x")).toThrow("/etc/passwd is no 64-bit little-endian ELF file");
  });
});

describe("a uprobe_multi link", () => {
  it("runs at many functions, each with its cookie", (ctx) => {
    using object = load("on_uprobe_multi");
    const points = { file: "libc.so.6", symbols: ["getuid", "geteuid"], cookies: [100n, 1n] };
    const target = { uprobeMulti: { ...points, pid: process.pid } };
    const link = orSkip(ctx, () => object.collection.program("on_uprobe_multi").attach(target));
    process.getuid?.();
    for (let i = 0; i < 3; i++) process.geteuid?.();
    expect([object.variable("seen"), object.variable("cookies")]).toEqual([4n, 103n]);
    expect(link.info()).toMatchObject({ kind: "uprobe_multi", path: realpathSync(libc), count: 2, pid: process.pid });
    link.close();
    process.getuid?.();
    expect(object.variable("seen")).toBe(4n);
  });

  it("chooses by a pattern, and runs at the return", (ctx) => {
    using object = load("on_uprobe_multi");
    const target = { uprobeMulti: { file: libc, pattern: "get?uid", moment: "return" } } as const;
    using _link = orSkip(ctx, () => object.collection.program("on_uprobe_multi").attach(target));
    process.geteuid?.();
    expect(object.variable("seen")).toBe(1n);
  });

  it("runs at both ends of a function, as a session", (ctx) => {
    using object = load("on_uprobe_session");
    const session = { file: libc, symbols: ["geteuid"], moment: "session" } as const;
    const program = object.collection.program("on_uprobe_session");
    using _link = orSkip(ctx, () => program.attach({ uprobeMulti: session }));
    process.geteuid?.();
    expect(object.variable("seen")).toBe(2n);
  });

  it("refuses lists that do not fit", () => {
    using object = load("on_uprobe_multi");
    const attach = (points: object) => () =>
      object.collection.program("on_uprobe_multi").attach({ uprobeMulti: { file: libc, ...points } });
    expect(attach({})).toThrow("give exactly one of symbols, pattern and offsets");
    expect(attach({ symbols: ["getuid"], cookies: [] })).toThrow("0 cookies for 1 places");
    expect(attach({ pattern: "no_such_*" })).toThrow('has no function that matches "no_such_*"');
  });
});

/** The kernel function behind getppid(2). */
const getppid = process.arch === "arm64" ? "__arm64_sys_getppid" : "__x64_sys_getppid";

describe("a kprobe", () => {
  it.for(["kprobe", "kretprobe"])("runs at each %s of a kernel function", (kind, ctx) => {
    if (!hasProbeEvents("kprobe")) ctx.skip("the kernel has no kprobes");
    using object = load("on_kprobe");
    const target = kind === "kprobe" ? { kprobe: getppid, cookie: 2n } : { kretprobe: getppid, cookie: 2n };
    const link = object.collection.program("on_kprobe").attach(target);
    callGetppid(5);
    expect([object.variable("seen"), object.variable("cookies")]).toEqual([5n, 10n]);
    link.close();
    callGetppid(1);
    expect(object.variable("seen")).toBe(5n);
    expect(() => object.collection.program("on_kprobe").attach({ kprobe: "no_such_function" })).toThrow(
      'the kernel has no function "no_such_function" that can be probed',
    );
  });

  it("runs at the entry and the return of a system call", (ctx) => {
    if (!hasProbeEvents("kprobe")) ctx.skip("the kernel has no kprobes");
    using object = load("on_kprobe");
    const program = object.collection.program("on_kprobe");
    using _entry = program.attach({ ksyscall: "getppid", cookie: 1n });
    using _return = program.attach({ kretsyscall: "getppid", cookie: 10n });
    callGetppid(3);
    expect([object.variable("seen"), object.variable("cookies")]).toEqual([6n, 33n]);
  });

  it("is refused in words where the kernel has none", (ctx) => {
    if (hasProbeEvents("kprobe")) ctx.skip("the kernel has kprobes");
    using object = load("on_kprobe");
    expect(() => object.collection.program("on_kprobe").attach({ kprobe: getppid })).toThrow(NotSupportedError);
  });
});

describe("a kprobe_multi link", () => {
  it.for(["symbols", "pattern"])("runs at functions chosen by %s", (by, ctx) => {
    using object = load("on_kprobe_multi");
    // The tracer lists a function by one of its names only.
    const points = by === "symbols" ? { symbols: [getppid], cookies: [3n] } : { pattern: "__*_sys_getppi?" };
    const program = object.collection.program("on_kprobe_multi");
    const link = orSkip(ctx, () => program.attach({ kprobeMulti: points }), "the kernel has no fprobe");
    callGetppid(5);
    expect(object.variable("seen")).toBe(5n);
    if (by === "symbols") expect(object.variable("cookies")).toBe(15n);
    expect(link.info()).toMatchObject({ kind: "kprobe_multi", count: 1 });
    link.close();
    callGetppid(1);
    expect(object.variable("seen")).toBe(5n);
  });
});

/** Loads, or skips when the kernel refuses programs of this kind without a word from the verifier. */
function loadOrSkip(ctx: TestContext, program: string): LoadedObject {
  try {
    return load(program);
  } catch (error) {
    if (isSystemCallError(error, "EPERM")) ctx.skip("the kernel permits no trampolines");
    // Before 6.3 (and CONFIG_FUNCTION_ERROR_INJECTION) its test functions are not open to it.
    if (error instanceof VerifierError && error.message.endsWith("bpf_modify_return_test() is not modifiable")) {
      ctx.skip("the kernel lets nothing change its test functions");
    }
    throw error;
  }
}

describe("a trampoline", () => {
  it.for([
    ["on_fentry", { fentry: "bpf_fentry_test1", cookie: 9n }],
    ["on_fexit", { fexit: "bpf_fentry_test1", cookie: 9n }],
    ["on_fmod_ret", { fmodRet: "bpf_modify_return_test", cookie: 9n }],
  ] as const)("runs %s when its function is called", ([name, target], ctx) => {
    using object = loadOrSkip(ctx, name);
    const program = object.collection.program(name);
    const link = program.attach(target);
    object.program(name).run();
    expect([object.variable("seen"), object.variable("cookies")]).toEqual([1n, 9n]);
    expect(link.info().kind).toBe("tracing");
    link.close();
    object.program(name).run();
    expect(object.variable("seen")).toBe(1n);
    expect(() => program.attach({ fentry: "another" })).toThrow('cannot attach to "another"');
  });

  it("runs at an LSM hook", (ctx) => {
    using object = loadOrSkip(ctx, "on_lsm");
    const link = object.collection.program("on_lsm").attach({ lsm: "file_open", cookie: 5n });
    const before = object.variable("seen");
    readFileSync(import.meta.filename);
    expect(object.variable("seen")).toBeGreaterThan(before);
    link.close();
    expect(object.variable("cookies")).toBe(5n * object.variable("seen"));
  });
});

describe("an iterator", () => {
  it("lists tasks, as often as it is opened", () => {
    using object = load("list_tasks");
    const link = object.collection.program("list_tasks").attach({ iterator: {} });
    for (let i = 0; i < 2; i++) {
      using reader = link.openIterator();
      const lines = reader.text().split("\n");
      expect(lines).toContain(`${process.pid} ${process.pid}`);
      expect(lines).toContain(`${process.ppid} ${process.ppid}`);
      expect(reader.bytes()).toHaveLength(0);
    }
    expect(link.info()).toMatchObject({ kind: "iter", name: "task" });
    const open = link.openIterator();
    expect(open.read(new Uint8Array(0))).toBe(0);
    link.close();
    expect(() => link.openIterator()).toThrow("is closed");
    expect(open.text()).toContain(`${process.pid} ${process.pid}\n`);
    open.close();
    expect(() => open.text()).toThrow("is closed");
  });

  it("lists the threads of one process", () => {
    using object = load("list_tasks", "list_own_tasks");
    using link = object.collection.program("list_tasks").attach({ iterator: { pid: process.pid } });
    using reader = link.openIterator();
    const lines = reader.text().trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(1);
    expect(new Set(lines.map((line) => line.split(" ")[0]))).toEqual(new Set([String(process.pid)]));
    link.update(object.collection.program("list_own_tasks"));
    using again = link.openIterator();
    expect(again.text()).toContain(`own ${process.pid}\n`);
  });

  it("walks the elements of a map", () => {
    using object = load("list_elements", "count_elements");
    const map = object.kernelMap<number, bigint>("numbers");
    map.update(1, 10n);
    map.update(7, 70n);
    using link = object.collection.program("list_elements").attach({ iterator: { map } });
    using reader = link.openIterator();
    expect(reader.text().trimEnd().split("\n").sort()).toEqual(["1=10", "7=70"]);
    expect(() => object.collection.program("list_elements").attach({ iterator: { map, pid: 1 } })).toThrow(
      "give only one of map, pid, tid and cgroup",
    );
  });
});
