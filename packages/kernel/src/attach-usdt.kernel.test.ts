// SPDX-License-Identifier: Apache-2.0

import { type Collection, load as loadSpec, NotSupportedError, type UsdtProbe } from "@skep/ebpf";
import { detachedMount } from "@skep/linux";
import { type UsdtLinkage, UsdtProgram } from "@skep/testbed";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kernelDescriptors, type LoadedObject, loadObject, objectSpec } from "../test-objects/load-object.ts";
import { attachUsdt } from "./attach-usdt.ts";
import { KernelEngine } from "./kernel-engine.ts";
import type { KernelLink } from "./kernel-link.ts";
import { KernelProgram } from "./kernel-program.ts";
import { listLinks } from "./list-objects.ts";
import { newerThanKernel } from "./minimum-version.ts";
import { unpin } from "./pin.ts";

const provider = "skep_test";
const load = (program: string, has_cookies = true) =>
  loadObject("usdt", { programs: [program], variables: { has_cookies } });
const built = new Map<UsdtLinkage, UsdtProgram>();
let app: UsdtProgram;

function program(linkage: UsdtLinkage): UsdtProgram {
  const found = built.get(linkage) ?? new UsdtProgram(linkage);
  built.set(linkage, found);
  return found;
}

beforeAll(() => {
  app = program("pie");
});

afterAll(() => {
  for (const each of built.values()) each[Symbol.dispose]();
});

const numbers = (object: LoadedObject, ...names: string[]) => names.map((name) => Number(object.variable(name)));

describe("a USDT probe", () => {
  it.each(["pie", "fixed", "library"] as const)("hands over arguments of every kind, linked as %s", async (linkage) => {
    using object = load("on_kinds");
    const { path } = program(linkage);
    using _link = object.collection.program("on_kinds").attach({ usdt: { path, provider, name: "kinds" } });
    await using running = program(linkage).start();
    await running.fire();
    const values = object.collection.variable<bigint[]>("values").get();
    expect(values).toEqual([-7n, -9n, 0x1122334455667788n, 200n, -56n, -300n, 4242n, 1n]);
    expect(numbers(object, "seen", "count", "beyond")).toEqual([1, 8, -2]);
  });

  it("runs a program that may sleep", async () => {
    using object = load("on_sleepable");
    using _link = object.collection
      .program("on_sleepable")
      .attach({ usdt: { path: app.path, provider, name: "kinds" } });
    await using running = app.start();
    await running.fire();
    expect(object.variable("seen")).toBe(1n);
    expect(object.collection.variable<bigint[]>("values").get()[7]).toBe(1n);
  });

  it("runs at each of its places, with the link's cookie, until it is closed", async () => {
    using object = load("on_any");
    const before = kernelDescriptors().length;
    const usdt = { path: app.path, provider, name: "request", cookie: 0x1_0000_0001n };
    const link = object.collection.program("on_any").attach({ usdt });
    await using running = app.start();
    await running.fire();
    await running.fire();
    expect(numbers(object, "seen", "sum")).toEqual([4, 222]);
    expect(object.variable("cookies")).toBe(4n * 0x1_0000_0001n);
    if (newerThanKernel("6.6") === undefined) {
      expect(link.info()).toMatchObject({ kind: "uprobe_multi", path: app.path, count: 2, pid: 0 });
    } else {
      expect(() => link.info()).toThrow(NotSupportedError);
    }
    link.close();
    await running.fire();
    expect(object.variable("seen")).toBe(4n);
    expect(kernelDescriptors()).toHaveLength(before);
  });

  it("raises its semaphore while it is attached, in one process only when that is named", async () => {
    using object = load("on_any");
    await using wanted = app.start();
    await using other = app.start();
    expect(await wanted.fire()).toBe(0);
    const usdt = { path: app.path, provider, name: "watched", pid: wanted.pid };
    const link = object.collection.program("on_any").attach({ usdt });
    expect(await wanted.fire()).toBe(1);
    expect(await other.fire()).toBe(0);
    expect(numbers(object, "seen", "sum")).toEqual([1, 30]);
    link.close();
    expect(await wanted.fire()).toBe(0);
    expect(object.variable("seen")).toBe(1n);
  });

  it("runs for one process only at a place without a semaphore", async () => {
    using object = load("on_any");
    await using wanted = app.start();
    await using other = app.start();
    const usdt = { path: app.path, provider, name: "request", pid: wanted.pid };
    using _link = object.collection.program("on_any").attach({ usdt });
    await other.fire();
    expect(object.variable("seen")).toBe(0n);
    await wanted.fire();
    expect(object.variable("sum")).toBe(111n);
  });

  it("hands its cookie to a program that reads no arguments", async () => {
    using object = load("on_silent");
    await using running = app.start();
    const usdt = { path: app.path, provider, name: "silent", cookie: 7n };
    using _link = object.collection.program("on_silent").attach({ usdt });
    await running.fire();
    expect([object.variable("seen"), object.variable("cookies")]).toEqual([1n, 7n]);
  });

  it.each([true, false])("is a uprobe for each place before uprobe_multi, cookies: %s", async (cookies) => {
    using collection = loadAsUprobe(cookies);
    const value = (name: string) => collection.variable(name).get();
    await using running = app.start();
    const usdt = { path: app.path, provider, pid: running.pid };
    const before = kernelDescriptors().length;
    {
      using _two = attachAsUprobe(collection, { ...usdt, name: "request", cookie: 3n }, cookies);
      expect(kernelDescriptors().length - before).toBe(4);
      using _one = attachAsUprobe(collection, { ...usdt, name: "watched", cookie: 5n }, cookies);
      expect(await running.fire()).toBe(1);
      // A kernel without cookies refuses a link with one.
      const { id } = kernelProgram(collection).info();
      const given = listLinks().filter((link) => link.programId === id && "cookie" in link && link.cookie !== 0n);
      if (!cookies) expect(given).toEqual([]);
    }
    expect([value("seen"), value("sum"), value("cookies")]).toEqual([3n, 141n, 11n]);
    expect(await running.fire()).toBe(0);
    expect(value("seen")).toBe(3n);
    expect([...collection.map("__bpf_usdt_ip_to_spec_id").keys()]).toEqual([]);
  });

  it("finds its arguments without cookies wherever a file has a fixed address, and says where it cannot", async () => {
    using collection = loadAsUprobe(false);
    const fixed = program("fixed");
    await using running = fixed.start();
    const usdt = { provider, name: "request" };
    using _link = attachAsUprobe(collection, { path: fixed.path, ...usdt }, false);
    await running.fire();
    expect(collection.variable("sum").get()).toBe(111n);
    expect(() => attachAsUprobe(collection, { path: app.path, ...usdt }, false)).toThrow(NotSupportedError);
  });

  it("shares lists of arguments that are alike, and gives them back", async () => {
    using object = load("on_any");
    const attach = (name: string, cookie: bigint) =>
      object.collection.program("on_any").attach({ usdt: { path: app.path, provider, name, cookie } });
    // Two places with different arguments: two of the three elements.
    const first = attach("request", 1n);
    using _alike = attach("request", 1n);
    expect(() => attach("request", 2n)).toThrow('"__bpf_usdt_specs" is full with 3 lists of arguments');
    first.close();
    expect(() => attach("request", 2n)).toThrow("is full");
    _alike.close();
    using _again = attach("request", 2n);
    await using running = app.start();
    await running.fire();
    expect([object.variable("sum"), object.variable("cookies")]).toEqual([111n, 4n]);
  });

  it("keeps its arguments while a pin holds the link, as long as the map has room for others", async () => {
    using object = load("on_any");
    using mount = detachedMount("bpf");
    await using running = app.start();
    const pin = `/proc/self/fd/${mount.number}/link`;
    const usdt = { path: app.path, provider, name: "watched" };
    const pinned = object.collection.program("on_any").attach({ usdt: { ...usdt, cookie: 1n } });
    (pinned.link as KernelLink).pin(pin);
    pinned.close();
    using _other = object.collection.program("on_any").attach({ usdt: { ...usdt, cookie: 10n } });
    await running.fire();
    unpin(pin);
    expect([object.variable("seen"), object.variable("cookies")]).toEqual([2n, 11n]);
  });

  it.each(["usdt-plain", "usdt-libbpf"])("is attached by the programs of %s, ours or libbpf's header", async (name) => {
    using object = loadObject(name);
    await using running = app.start();
    const usdt = { path: app.path, provider, cookie: 7n };
    const { collection } = object;
    using _request = collection.program("on_any").attach({ usdt: { ...usdt, name: "request" } });
    using _watched = collection.program("on_any").attach({ usdt: { ...usdt, name: "watched" } });
    await running.fire();
    expect([object.variable("seen"), object.variable("sum"), object.variable("cookies")]).toEqual([3n, 141n, 21n]);
  });

  it("is attached by programs whose header lays the fields out otherwise", async () => {
    using object = loadObject("usdt-layout");
    await using running = app.start();
    const usdt = { path: app.path, provider, name: "kinds", cookie: 9n };
    using _link = object.collection.program("on_kinds").attach({ usdt });
    await running.fire();
    const values = object.collection.variable<bigint[]>("values").get();
    // An index counted twice, signed, 16 bits; the index is 3, and the element there -300.
    expect(values.slice(0, 8)).toEqual([3n, 1n, 1n, 48n, 3n, -300n, 8n, 9n]);
  });

  it("says which file, probe or program is missing or does not fit", () => {
    using object = load("on_any");
    const attach = (path: string, name: string) => () =>
      object.collection.program("on_any").attach({ usdt: { path, provider, name } });
    const before = kernelDescriptors().length;
    expect(attach(app.path, "no_such")).toThrow(
      "has no USDT probe skep_test:no_such; it has skep_test:kinds, skep_test:request, skep_test:silent, skep_test:watched",
    );
    expect(attach("no-such.so", "x")).toThrow('there is no program or library "no-such.so"');
    expect(attach("/bin/true", "x")).toThrow("it has none");
    expect(kernelDescriptors()).toHaveLength(before);
  });
});

/** With the program as kernels without uprobe_multi have to load it. */
function loadAsUprobe(has_cookies: boolean): Collection {
  const spec = objectSpec("usdt");
  const programs = new Map([...spec.programs].map(([name, each]) => [name, { ...each, section: "uprobe" }]));
  const engine = new KernelEngine();
  return loadSpec({ ...spec, programs }, { engine, programs: ["on_any"], variables: { has_cookies } });
}

/** Attaches a collection's program as on kernels without uprobe_multi. */
function attachAsUprobe(collection: Collection, usdt: UsdtProbe, cookies: boolean): Disposable {
  using resources = new DisposableStack();
  attachUsdt(kernelProgram(collection), { usdt }, resources, cookies);
  return resources.move();
}

function kernelProgram(collection: Collection): KernelProgram {
  const { program } = collection.program("on_any");
  if (program instanceof KernelProgram) return program;
  throw new Error("not the kernel's program");
}
