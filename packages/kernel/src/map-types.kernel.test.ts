// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, rmdirSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import {
  AttachType,
  assemble,
  load,
  type MapSpec,
  MapType,
  mapTypeName,
  NotSupportedError,
  ProgramType,
  PseudoLoad,
} from "@skep/ebpf";
import {
  createLink,
  detachedMount,
  FileDescriptor,
  loadProgram,
  onlineCpus,
  openProcess,
  pageSize,
  possibleCpus,
} from "@skep/linux";
import { describe, expect, it, type TestContext } from "vitest";
import { objectSpec } from "../test-objects/load-object.ts";
import { KernelEngine } from "./kernel-engine.ts";
import type { KernelMap } from "./kernel-map.ts";

const BPF_F_NO_PREALLOC = 1;
const BPF_F_MMAPABLE = 1 << 10;

function createMap<K, V>(overrides: Partial<MapSpec>): KernelMap<K, V> {
  const spec: MapSpec = {
    name: "test",
    type: MapType.HASH,
    keySize: 4,
    valueSize: 4,
    maxEntries: 8,
    flags: 0,
    extra: 0n,
    pinning: "none",
    keyTypeId: 0,
    valueTypeId: 0,
    ...overrides,
  };
  return new KernelEngine().createMap(spec, undefined, undefined) as KernelMap<unknown, unknown> as KernelMap<K, V>;
}

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const inner: MapSpec = { ...createSpec(), type: MapType.ARRAY };

function createSpec(): MapSpec {
  return {
    name: "inner",
    type: MapType.HASH,
    keySize: 4,
    valueSize: 4,
    maxEntries: 8,
    flags: 0,
    extra: 0n,
    pinning: "none",
    keyTypeId: 0,
    valueTypeId: 0,
  };
}

/** Every type of the UAPI of 6.18 that needs no type of the kernel's own or of an object. */
const kinds: readonly Partial<MapSpec>[] = [
  { type: MapType.HASH },
  { type: MapType.ARRAY },
  { type: MapType.PROG_ARRAY },
  { type: MapType.PERF_EVENT_ARRAY },
  { type: MapType.PERCPU_HASH },
  { type: MapType.PERCPU_ARRAY },
  { type: MapType.STACK_TRACE, valueSize: 64 },
  { type: MapType.CGROUP_ARRAY },
  { type: MapType.LRU_HASH },
  { type: MapType.LRU_PERCPU_HASH },
  { type: MapType.LPM_TRIE, keySize: 8, flags: BPF_F_NO_PREALLOC },
  { type: MapType.ARRAY_OF_MAPS, inner },
  { type: MapType.HASH_OF_MAPS, inner },
  { type: MapType.DEVMAP },
  { type: MapType.SOCKMAP },
  { type: MapType.CPUMAP, maxEntries: 0 },
  { type: MapType.XSKMAP },
  { type: MapType.SOCKHASH },
  { type: MapType.CGROUP_STORAGE, keySize: 8, maxEntries: 0 },
  { type: MapType.REUSEPORT_SOCKARRAY },
  { type: MapType.PERCPU_CGROUP_STORAGE, keySize: 8, maxEntries: 0 },
  { type: MapType.QUEUE, keySize: 0 },
  { type: MapType.STACK, keySize: 0 },
  { type: MapType.DEVMAP_HASH },
  { type: MapType.RINGBUF, keySize: 0, valueSize: 0, maxEntries: pageSize() },
  { type: MapType.BLOOM_FILTER, keySize: 0 },
  { type: MapType.USER_RINGBUF, keySize: 0, valueSize: 0, maxEntries: pageSize() },
  { type: MapType.ARENA, keySize: 0, valueSize: 0, maxEntries: 4, flags: BPF_F_MMAPABLE },
];

/** Maps of the object of storage maps: the kernel takes these types with BTF alone. */
const describedKinds = [
  ["sockets", MapType.SK_STORAGE],
  ["inodes", MapType.INODE_STORAGE],
  ["tasks", MapType.TASK_STORAGE],
  ["cgroups", MapType.CGRP_STORAGE],
] as const;

/** What `make` gives; the test is skipped where the kernel is older than it. */
function supported<T>(ctx: TestContext, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof NotSupportedError) ctx.skip(error.message);
    throw error;
  }
}

/** One of the maps of the object of storage maps, typed. */
function storage(name: string): KernelMap<number, { count: bigint }> {
  const { maps, btf } = objectSpec("maps-storage");
  const spec = maps.get(name);
  if (spec === undefined || btf === undefined) throw new Error(`no map ${name}`);
  const engine = new KernelEngine();
  using types = engine.loadTypes(btf);
  return engine.createMap(spec, types, btf) as KernelMap<unknown, unknown> as KernelMap<number, { count: bigint }>;
}

describe("creating a map of each type", () => {
  it.for(kinds.map((kind) => [mapTypeName(kind.type ?? 0), kind] as const))("%s", ([, kind], ctx) => {
    using map = supported(ctx, () => createMap(kind));
    expect(map.info()).toMatchObject({ type: kind.type, name: "test" });
  });

  it.for(describedKinds)("%s", ([name, type], ctx) => {
    using map = supported(ctx, () => storage(name));
    expect(map.info()).toMatchObject({ type, name });
  });

  it("struct_ops", (ctx) => {
    const spec = objectSpec("struct-ops");
    using app = supported(ctx, () => load(spec, { engine: new KernelEngine(), structOps: ["unlinked"] }));
    const { map } = app.structOps("unlinked");
    expect((map as KernelMap).info()).toMatchObject({ type: MapType.STRUCT_OPS, name: "unlinked", keySize: 4 });
  });

  it("leaves none out", () => {
    const created = [...kinds.map(({ type }) => type), ...describedKinds.map(([, type]) => type), MapType.STRUCT_OPS];
    expect(new Set(created)).toEqual(new Set(Object.values(MapType)));
  });
});

it("the keys of a storage are walked, which has no number of entries", () => {
  using storage = createMap<Uint8Array, Uint8Array>({ type: MapType.CGROUP_STORAGE, keySize: 8, maxEntries: 0 });
  const { instructions } = assemble("lddw %r1, map[storage]\nmov %r2, 0\ncall get_local_storage\nmov %r0, 1\nexit");
  const bytes = new Uint8Array(instructions);
  new DataView(bytes.buffer).setInt32(4, storage.fd, true);
  bytes[1] = (PseudoLoad.MAP_FD << 4) | 1;
  const { result } = loadProgram({ type: ProgramType.CGROUP_SKB, instructions: bytes, license: "GPL" });
  using program = new FileDescriptor(result);
  const mount = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) => existsSync(`${path}/cgroup.procs`)) ?? "";
  const path = `${mount}/skep-storage-${process.pid}`;
  mkdirSync(path);
  try {
    using target = new FileDescriptor(openSync(path, "r"));
    expect([...storage.keys()]).toEqual([]);
    using _link = createLink({ program, target, attachType: AttachType.CGROUP_INET_EGRESS });
    const key = new Uint8Array(BigUint64Array.of(statSync(path, { bigint: true }).ino).buffer);
    expect([...storage.keys()]).toEqual([key]);
    expect([...storage.entries()]).toEqual([[key, new Uint8Array(4)]]);
  } finally {
    rmdirSync(path);
  }
  // Others have keys of another kind: better an error than a map that looks empty.
  using sockets = storageOrUndefined("sockets");
  if (sockets !== undefined) expect(() => [...sockets.keys()]).toThrow("ENOTSUPP");
});

it("all keys are walked of a map that holds more than it was made for", () => {
  // With a list of its own for each CPU the kernel rounds the number of entries up to theirs.
  const BPF_F_NO_COMMON_LRU = 2;
  const maxEntries = 2 * possibleCpus().length - 1;
  using map = createMap<Uint8Array, Uint8Array>({ type: MapType.LRU_HASH, flags: BPF_F_NO_COMMON_LRU, maxEntries });
  const written: Uint8Array[] = [];
  const before = /: (\S+)$/.exec(execFileSync("taskset", ["-cp", String(process.pid)], { encoding: "utf8" }).trim());
  try {
    for (const cpu of onlineCpus()) {
      execFileSync("taskset", ["-cp", String(cpu), String(process.pid)]);
      for (const _ of [1, 2]) {
        const key = u32(written.length);
        map.update(key, u32(cpu));
        written.push(key);
      }
    }
  } finally {
    execFileSync("taskset", ["-cp", before?.[1] ?? "0", String(process.pid)]);
  }
  const held = written.filter((key) => map.lookup(key) !== undefined);
  expect([...map.keys()].sort()).toEqual(held.sort());
  expect([...map.entries()]).toHaveLength(held.length);
});

function storageOrUndefined(name: string): KernelMap<number, { count: bigint }> | undefined {
  try {
    return storage(name);
  } catch (error) {
    if (error instanceof NotSupportedError) return undefined;
    throw error;
  }
}

async function listen(): Promise<{ server: Server; fd: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Node keeps the descriptor on its handle, without a name in its types.
  const { _handle } = server as unknown as { _handle: { fd: number } };
  return { server, fd: _handle.fd };
}

describe("maps of sockets", () => {
  it.each([MapType.SOCKMAP, MapType.SOCKHASH])(
    "type %i takes a descriptor and shows the socket's cookie",
    async (type) => {
      const { server, fd } = await listen();
      try {
        using map = createMap<Uint8Array, number | bigint>({ type, valueSize: 8 });
        expect(map.lookup(u32(1))).toBeUndefined();
        map.update(u32(1), fd);
        const cookie = map.lookup(u32(1));
        expect(typeof cookie).toBe("bigint");
        expect(cookie).not.toBe(0n);
        expect(map.delete(u32(1))).toBe(true);
        expect(map.lookup(u32(1))).toBeUndefined();
        expect(() => map.update(u32(1), -1)).toThrow("holds open maps, programs, sockets or cgroups; -1 is none");
      } finally {
        server.close();
      }
    },
  );
});

/** The root of the unified hierarchy, wherever it is mounted. */
function openCgroup(): number {
  using mount = detachedMount("cgroup2");
  return openSync(`/proc/self/fd/${mount.number}`, "r");
}

describe("maps of cgroups, CPUs and devices", () => {
  it("take a cgroup by its descriptor", () => {
    using map = createMap<Uint8Array, number>({ type: MapType.CGROUP_ARRAY });
    const fd = openCgroup();
    try {
      map.update(u32(0), fd);
      expect(map.delete(u32(0))).toBe(true);
    } finally {
      closeSync(fd);
    }
  });

  it("take the length of a CPU's queue", () => {
    using map = createMap<Uint8Array, Uint8Array>({ type: MapType.CPUMAP, maxEntries: 1 << 20 });
    expect(map.spec.maxEntries).toBe(possibleCpus().length);
    map.update(u32(0), u32(192));
    expect(map.lookup(u32(0))).toEqual(u32(192));
  });

  it.each([MapType.DEVMAP, MapType.DEVMAP_HASH])("type %i takes an interface's index", (type) => {
    using map = createMap<Uint8Array, Uint8Array>({ type });
    // The loopback interface of any network namespace.
    map.update(u32(2), u32(1));
    expect(map.lookup(u32(2))).toEqual(u32(1));
    expect(() => map.update(u32(3), u32(0x7fff_0000))).toThrow("EINVAL");
    expect(map.delete(u32(2))).toBe(true);
  });
});

describe("storage that belongs to something", () => {
  it.for([
    ["inodes", () => openSync(import.meta.filename, "r"), closeSync],
    ["cgroups", openCgroup, closeSync],
  ] as const)("of %s is found by its descriptor and goes on delete", ([kind, open, close], ctx) => {
    using map = supported(ctx, () => storage(kind));
    const fd = open();
    try {
      expect(map.lookup(fd)).toBeUndefined();
      map.update(fd, { count: 3n });
      expect(map.lookup(fd)).toEqual({ count: 3n });
      expect(map.delete(fd)).toBe(true);
      expect(map.delete(fd)).toBe(false);
    } finally {
      close(fd);
    }
  });

  it("of tasks is found by a descriptor of the process", () => {
    using map = storage("tasks");
    using process_ = openProcess(process.pid);
    map.update(process_.number, { count: 5n });
    using again = openProcess(process.pid);
    expect(map.lookup(again.number)).toEqual({ count: 5n });
    expect(() => map.lookup(0x7fff_ffff)).toThrow("EBADF");
  });

  it("of sockets is found by the socket's descriptor", async () => {
    const { server, fd } = await listen();
    try {
      using map = storage("sockets");
      map.update(fd, { count: 4n }, "create");
      expect(map.lookup(fd)).toEqual({ count: 4n });
      expect(() => map.update(fd, { count: 5n }, "create")).toThrow("EEXIST");
    } finally {
      server.close();
    }
  });
});
