// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClosedError } from "@skep/ebpf";
import { bpfObjectIds, isSystemCallError, kernelVersion, onlineCpus } from "@skep/linux";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kernelDescriptors, loadObject } from "../test-objects/load-object.ts";
import { newerThanKernel } from "./minimum-version.ts";
import { tracepointId } from "./tracepoint-id.ts";

let directory: string;
let path: string;
// Its own name, so that nobody else's processes are counted.
const comm = `skep${process.pid}`;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "skep-links-"));
  path = join(directory, comm);
  copyFileSync("/bin/true", path);
});

afterAll(() => rmSync(directory, { recursive: true }));

const execute = (times: number): void => {
  for (let i = 0; i < times; i++) expect(spawnSync(path).status).toBe(0);
};

const load = (...programs: string[]) => loadObject("links", { variables: { wanted: comm }, programs });

describe("links", () => {
  it.each([
    ["on_tp_btf", "seen_tp_btf"],
    ["on_raw_tracepoint", "seen_raw_tracepoint"],
    ["on_tracepoint", "seen_tracepoint"],
  ])("%s runs for each event from the attach to the close", (program, counter) => {
    using object = load(program);
    execute(1);
    const link = object.collection.program(program).attach();
    execute(7);
    expect(object.variable(counter)).toBe(7n);
    link.close();
    link.close();
    execute(2);
    expect(object.variable(counter)).toBe(7n);
  });

  it("hand their records to a reader that waits", async () => {
    using object = load("on_tp_btf");
    using reader = object.kernelMap("executions").records();
    using _link = object.collection.program("on_tp_btf").attach();
    const pids: number[] = [];
    const wanted: number[] = [];
    setTimeout(() => {
      for (let i = 0; i < 20; i++) wanted.push(spawnSync(path).pid);
    }, 5);
    for await (const batch of reader) {
      const words = new Uint32Array(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length / 4);
      for (let i = 0; i < batch.count; i++) {
        const at = batch.offsets[i]!;
        pids.push(words[at / 4]!);
        const name = Buffer.from(batch.bytes.subarray(at + 4, at + 20)).toString("latin1");
        expect(name.slice(0, name.indexOf("\0"))).toBe(comm);
      }
      if (pids.length >= 20) break;
    }
    expect(pids).toEqual(wanted);
  });

  it("give a tracepoint program its cookie", () => {
    using object = load("on_tracepoint");
    const target = { tracepoint: "sched:sched_process_exec", cookie: 0x1234_5678_9abc_def0n };
    using _link = object.collection.program("on_tracepoint").attach(target);
    execute(1);
    expect(object.variable("cookie")).toBe(0x1234_5678_9abc_def0n);
  });

  it.for([
    ["on_raw_cookie", { rawTracepoint: "sched_process_exec", cookie: 7n }],
    ["on_tp_btf_cookie", { tpBtf: "sched_process_exec", cookie: 7n }],
  ] as const)("give %s its cookie", ([program, target], ctx) => {
    const [major, minor] = kernelVersion();
    if (major < 6 || (major === 6 && minor < 10)) ctx.skip("cookies of raw tracepoints need Linux 6.10");
    using object = load(program);
    using _link = object.collection.program(program).attach(target);
    execute(1);
    expect(object.variable("cookie")).toBe(7n);
  });

  it.for([
    ["on_raw_tracepoint", { rawTracepoint: "sched_process_exec", cookie: 7n }],
    ["on_tp_btf", { tpBtf: "sched_process_exec", cookie: 7n }],
  ] as const)("name the kernel that has the cookies of %s", ([program, target]) => {
    using object = load(program);
    const attach = (): void => object.collection.program(program).attach(target).close();
    if (newerThanKernel("6.10") === undefined) expect(attach).not.toThrow();
    else expect(attach).toThrow(/^the cookie of .*"sched_process_exec" needs Linux 6\.10 or newer$/);
  });

  it("tell about themselves", () => {
    using object = load("on_tp_btf", "on_raw_tracepoint", "on_tracepoint");
    const info = (name: string) => object.collection.program(name).attach().info();
    // To the kernel, a BTF tracepoint is a raw one too.
    expect(info("on_tp_btf")).toMatchObject({ kind: "raw_tracepoint", name: "sched_process_exec" });
    expect(info("on_raw_tracepoint")).toMatchObject({ kind: "raw_tracepoint", name: "sched_process_exec" });
    const tracepoint = info("on_tracepoint");
    expect(tracepoint.kind).toBe("perf_event");
    expect([...bpfObjectIds("link")]).toContain(tracepoint.id);
    expect([...bpfObjectIds("program")]).toContain(tracepoint.programId);
  });

  it("throw ClosedError once closed", () => {
    using object = load("on_tp_btf");
    const link = object.collection.program("on_tp_btf").attach();
    link.close();
    for (const use of [() => link.info(), () => link.detach(), () => link.openIterator()])
      expect(use).toThrow(ClosedError);
    expect(() => link.update(object.collection.program("on_tp_btf"))).toThrow(ClosedError);
  });

  it("run a program for each overflow of a perf event on every CPU", async () => {
    using object = load("on_tick");
    const before = kernelDescriptors().length;
    const event = { event: "software:cpu-clock", frequency: 1000 };
    const link = object.collection.program("on_tick").attach({ perfEvent: event });
    expect(kernelDescriptors().length - before).toBe(2 * onlineCpus().length);
    const end = performance.now() + 50;
    while (performance.now() < end);
    link.close();
    expect(kernelDescriptors()).toHaveLength(before);
    const ticks = object.variable("ticks");
    expect(ticks).toBeGreaterThan(10n);
    await sleep(20);
    expect(object.variable("ticks")).toBe(ticks);
  });

  it("are gone from the kernel once they are closed", () => {
    using object = load("on_tp_btf", "on_raw_tracepoint", "on_tracepoint");
    const before = new Set(bpfObjectIds("link"));
    const links = [...object.collection.programs.values()].map((program) => program.attach());
    expect([...bpfObjectIds("link")].filter((id) => !before.has(id))).toHaveLength(3);
    for (const link of links) link.close();
    expect([...bpfObjectIds("link")].filter((id) => !before.has(id))).toEqual([]);
  });

  it("say what is missing or does not fit", () => {
    using object = load("on_tp_btf", "on_raw_tracepoint", "on_tracepoint", "on_tick");
    const attach =
      (program: string, target: Parameters<ReturnType<typeof object.collection.program>["attach"]>[0]) => () =>
        object.collection.program(program).attach(target);
    expect(attach("on_tracepoint", { tracepoint: "sched:no_such" })).toThrow(
      'the kernel has no tracepoint "sched:no_such"',
    );
    expect(attach("on_tracepoint", { tracepoint: "../../etc" })).toThrow("is not of the form category:name");
    expect(attach("on_raw_tracepoint", { rawTracepoint: "no_such" })).toThrow(
      'the kernel has no raw tracepoint "no_such"',
    );
    expect(attach("on_raw_tracepoint", { tracepoint: "sched:sched_process_exec" })).toThrow(
      'program "on_raw_tracepoint" is of type raw_tracepoint, a tracepoint takes tracepoint',
    );
    expect(attach("on_tp_btf", { tpBtf: "sched_switch" })).toThrow(
      'program "on_tp_btf" was loaded for tracepoint "sched_process_exec", it cannot attach to "sched_switch"',
    );
    expect(attach("on_tick", { perfEvent: { event: "software:no-such", period: 1 } })).toThrow(
      "there are software:cpu-clock,",
    );
    expect(attach("on_tick", { perfEvent: { event: "software:cpu-clock" } })).toThrow(
      "give either a period or a frequency",
    );
    expect(attach("on_tick", { perfEvent: { event: "software:cpu-clock", period: 0 } })).toThrow("its period is 0");
  });
});

describe("the number of a tracepoint", () => {
  const tracefs = "/sys/kernel/tracing";
  // In a mount namespace of its own, so that the machine's mounts stay as they are.
  const mounted = `{ mountpoint -q ${tracefs} || mount -t tracefs tracefs ${tracefs}; }`;

  it("is the same from a mounted tracefs and from a mount of one's own", () => {
    const own = tracepointId("sched:sched_process_exec");
    const script = `${mounted} && cat ${tracefs}/events/sched/sched_process_exec/id`;
    const other = spawnSync("unshare", ["--mount", "sh", "-c", script], { encoding: "utf8" });
    expect(other.stderr).toBe("");
    expect(own).toBe(Number(other.stdout));
  });

  it("is read from the mounted tracefs where there is one", () => {
    const script = `
      import { mountedTracefs, tracepointId } from ${JSON.stringify(new URL("./tracepoint-id.ts", import.meta.url).href)};
      console.log(mountedTracefs(), tracepointId("sched:sched_process_exec"));
    `;
    const node = [process.execPath, "--conditions=skep-source", "--input-type=module", "-e", script];
    const child = spawnSync("unshare", ["--mount", "sh", "-c", `${mounted} && exec "$@"`, "sh", ...node], {
      encoding: "utf8",
      cwd: import.meta.dirname,
    });
    expect(child.stderr).toBe("");
    expect(child.stdout).toBe(`/sys/kernel/tracing ${tracepointId("sched:sched_process_exec")}\n`);
  });

  it("cannot be had without privilege, and the error says what would help", () => {
    const script = `
      import { tracepointId } from ${JSON.stringify(new URL("./tracepoint-id.ts", import.meta.url).href)};
      try { tracepointId("sched:sched_process_exec"); } catch (error) { console.log(error.code, error.message, error.cause.errnoName); }
    `;
    const unmounted = `umount --quiet --recursive /sys/kernel/debug ${tracefs}; exec "$@"`;
    const child = spawnSync(
      "unshare",
      [
        ...["--mount", "sh", "-c", unmounted, "sh"],
        "setpriv",
        "--bounding-set=-all",
        "--inh-caps=-all",
        process.execPath,
        "--conditions=skep-source",
        "--input-type=module",
        "-e",
        script,
      ],
      { encoding: "utf8", cwd: import.meta.dirname },
    );
    expect(child.stderr).toBe("");
    expect(child.stdout).toBe(
      'ERR_NOT_SUPPORTED tracepoint "sched:sched_process_exec" without tracefs (`mount -t tracefs tracefs /sys/kernel/tracing` gives it) is not supported here EPERM\n',
    );
    expect(isSystemCallError(undefined)).toBe(false);
  });

  it("says so when it is not tracefs that is lacking", () => {
    const script = `
      import { openSync } from "node:fs";
      import { tracepointId } from ${JSON.stringify(new URL("./tracepoint-id.ts", import.meta.url).href)};
      try { tracepointId("no:such"); } catch (error) { console.log(error.message); }
      try { for (;;) openSync("/dev/null"); } catch (error) { console.log(error.code); }
      try { tracepointId("no:such"); } catch (error) { console.log(error.code, error.message); }
    `;
    const unmounted = `umount --quiet --recursive /sys/kernel/debug ${tracefs}; ulimit -n 200; exec "$@"`;
    const node = [process.execPath, "--conditions=skep-source", "--input-type=module", "-e", script];
    const child = spawnSync("unshare", ["--mount", "sh", "-c", unmounted, "sh", ...node], {
      encoding: "utf8",
      cwd: import.meta.dirname,
    });
    expect(child.stdout.split("\n")).toEqual([
      'the kernel has no tracepoint "no:such"',
      "EMFILE",
      "ERR_SYSTEM_CALL tracefs: fsopen failed: EMFILE (too many open files)",
      "",
    ]);
  });
});
