// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmdirSync, statSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import type { IteratorPoint } from "@skep/ebpf";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { loadObject } from "../test-objects/load-object.ts";
import { newerThanKernel } from "./minimum-version.ts";

const load = (...programs: string[]) => loadObject("links-places", { programs });

/** The lines that an iterator writes. */
function walk(program: string, iterator: IteratorPoint, object = load(program)): string[] {
  using loaded = object;
  using link = loaded.collection.program(program).attach({ iterator });
  using reader = link.openIterator();
  return reader.text().trimEnd().split("\n");
}

/** The kernel takes a process to walk since 6.1, and cgroups too. */
function needs61(ctx: TestContext): void {
  if (newerThanKernel("6.1") !== undefined) ctx.skip("iterators over one process or cgroup need Linux 6.1");
}

describe("an iterator", () => {
  it("lists one thread", (ctx) => {
    needs61(ctx);
    const threads = readdirSync("/proc/self/task").map(Number);
    const tid = threads.find((each) => each !== process.pid) ?? process.pid;
    using object = loadObject("links-probes", { programs: ["list_tasks"], variables: { wanted: process.pid } });
    using link = object.collection.program("list_tasks").attach({ iterator: { tid } });
    using reader = link.openIterator();
    expect(reader.text()).toBe(`${process.pid} ${tid}\n`);
  });

  it("lists the memory of a process", (ctx) => {
    needs61(ctx);
    const lines = walk("list_memory", { pid: process.pid });
    expect(lines.length).toBeGreaterThan(10);
    expect(new Set(lines.map((line) => line.split(" ")[0]))).toEqual(new Set([String(process.pid)]));
  });

  it("lists the open files of a process", (ctx) => {
    needs61(ctx);
    const fd = openSync("/dev/null", "r");
    try {
      expect(walk("list_files", { pid: process.pid })).toContain(`${process.pid} ${fd}`);
    } finally {
      closeSync(fd);
    }
  });
});

describe("an iterator over cgroups", () => {
  const mount = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) => existsSync(`${path}/cgroup.procs`)) ?? "";
  const outer = `${mount}/skep-iter-${process.pid}`;
  const inner = `${outer}/inner`;
  const id = (path: string) => String(statSync(path).ino);

  beforeAll(() => mkdirSync(inner, { recursive: true }));
  afterAll(() => {
    rmdirSync(inner);
    rmdirSync(outer);
  });

  it("walks in each order", (ctx) => {
    needs61(ctx);
    const orders = (cgroup: string, order?: IteratorPoint["order"]) =>
      walk("list_cgroups", { cgroup, ...(order && { order }) });
    expect(orders(outer)).toEqual([id(outer)]);
    expect(orders(outer, "descendants-before")).toEqual([id(outer), id(inner)]);
    expect(orders(outer, "descendants-after")).toEqual([id(inner), id(outer)]);
    expect(orders(inner, "ancestors")).toEqual([id(inner), id(outer), id(mount)]);
  });

  it("must be given one that exists", (ctx) => {
    needs61(ctx);
    expect(() => walk("list_cgroups", { cgroup: `${outer}/no-such` })).toThrow("no-such cannot be opened: ENOENT");
  });
});

describe("an iterator over a sockmap", () => {
  it("walks its sockets", async () => {
    using object = load("list_sockets", "pass_sockets");
    const map = object.kernelMap("sockets");
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as { port: number }).port, "127.0.0.1");
    const [accepted] = (await once(server, "connection")) as [Socket];
    const { fd } = (accepted as unknown as { _handle: { fd: number } })._handle;
    map.updateRaw(new Uint8Array(Uint32Array.of(2).buffer), new Uint8Array(BigUint64Array.of(BigInt(fd)).buffer));
    using link = object.collection.program("list_sockets").attach({ iterator: { map } });
    using reader = link.openIterator();
    expect(reader.text()).toContain("2 held\n");
    client.destroy();
    accepted.destroy();
    server.close();
  });
});
