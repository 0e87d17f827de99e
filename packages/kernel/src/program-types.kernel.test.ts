// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type BpfMap, load, ProgramType } from "@skep/ebpf";
import { inNetworkNamespace, interfaceIndex, isSystemCallError } from "@skep/linux";
import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from "vitest";
import { TestNetwork } from "../test-objects/links-network.ts";
import { objectSpec } from "../test-objects/load-object.ts";
import { orSkip } from "../test-objects/or-skip.ts";
import { kernelConfig } from "./kernel-config.ts";
import { KernelEngine } from "./kernel-engine.ts";
import { newerThanKernel } from "./minimum-version.ts";

const BPF_F_XDP_DEV_BOUND_ONLY = 1 << 6;
/** 5.18. */
const BPF_F_TEST_XDP_LIVE_FRAMES = 1 << 1;

type Loaded = ReturnType<typeof load> & { readonly seen: bigint };

/** The object with the one program of the name. */
function loadOf(name: string, change: { interfaceIndex?: number } = {}): Loaded {
  const spec = objectSpec("program-types");
  const program = spec.programs.get(name);
  if (program === undefined) throw new Error(`no program ${name}`);
  // What its variable would say, had it one.
  if (name === "of_struct_ops") program.attachTo = "tcp_congestion_ops:ssthresh";
  if (change.interfaceIndex !== undefined) {
    program.interfaceIndex = change.interfaceIndex;
    program.flags |= BPF_F_XDP_DEV_BOUND_ONLY;
  }
  const variables = { wanted: process.pid };
  const app = load(spec, { engine: new KernelEngine(), programs: [name], variables });
  return Object.defineProperty(app, "seen", { get: () => app.variable("seen").get() }) as Loaded;
}

/** The same, or a skip where the kernel refuses the type without a word from the verifier. */
function loadOrSkip(ctx: TestContext, name: string): Loaded {
  try {
    return orSkip(ctx, () => loadOf(name));
  } catch (error) {
    const silent = name.startsWith("of_lsm") && isSystemCallError(error, "EPERM");
    if (silent) ctx.skip("the kernel permits no trampolines");
    throw error;
  }
}

/** An Ethernet frame with an empty IPv4 packet of the test networks. */
const frame = Uint8Array.from([
  ...[0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0x08, 0x00],
  ...[0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2],
  ...new Uint8Array(30),
]);

describe("a program of each type", () => {
  // freplace is loaded for another program: attach-freplace.kernel.test.ts.
  const types = Object.entries(ProgramType).filter(([name]) => name !== "EXT" && name !== "LIRC_MODE2");

  it.for(types.map(([name, type]) => [name.toLowerCase(), type] as const))("%s is loaded", ([name, type], ctx) => {
    using app = loadOrSkip(ctx, `of_${name}`);
    expect(app.program(`of_${name}`).spec.type).toBe(type);
  });

  it("lirc_mode2 is loaded where the kernel was built for it", () => {
    const loading = (): void => loadOf("of_lirc_mode2").close();
    if (kernelConfig().value("CONFIG_BPF_LIRC_MODE2") === "y") expect(loading).not.toThrow();
    else expect(loading).toThrow("EINVAL");
  });

  it.for([
    ["socket_filter", 7],
    ["sched_cls", 7],
    ["sched_act", 7],
    ["xdp", 2],
    ["cgroup_skb", 1],
    ["lwt_in", 0],
    ["lwt_out", 0],
    ["lwt_xmit", 0],
    ["flow_dissector", 0],
    ["netfilter", 1],
  ] as const)("%s runs on a packet", ([name, returned], ctx) => {
    using app = loadOrSkip(ctx, `of_${name}`);
    expect(app.program(`of_${name}`).run({ data: frame }).returned).toBe(returned);
    expect(app.seen).toBe(1n);
  });

  it("syscall runs on a context", () => {
    using app = loadOf("of_syscall");
    expect(app.program("of_syscall").run({ context: new Uint8Array(8) }).returned).toBe(7);
    expect(app.seen).toBe(1n);
  });

  it("raw_tracepoint runs by itself", () => {
    using app = loadOf("of_raw_tracepoint");
    app.program("of_raw_tracepoint").run({ context: new Uint8Array(8) });
    expect(app.seen).toBe(1n);
  });

  it("raw_tracepoint_writable changes the argument of its tracepoint", () => {
    using app = loadOf("of_raw_tracepoint_writable");
    using xdp = loadOf("of_xdp");
    const link = app.program("of_raw_tracepoint_writable").attach();
    expect(() => xdp.program("of_xdp").run({ data: frame })).toThrow("EDOM");
    expect(app.seen).toBe(1n);
    link.close();
    expect(xdp.program("of_xdp").run({ data: frame }).returned).toBe(2);
  });
});

describe("programs of a cgroup", () => {
  const mount = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) => existsSync(`${path}/cgroup.procs`)) ?? "";
  const cgroup = `${mount}/skep-types-${process.pid}`;
  let network: TestNetwork;

  beforeAll(() => {
    network = new TestNetwork();
    mkdirSync(cgroup);
  });
  afterAll(() => {
    rmdirSync(cgroup);
    network[Symbol.dispose]();
  });

  const within = (script: string) => (): unknown =>
    execFileSync("bash", ["-c", `echo $$ > "$0/cgroup.procs" && ${script}`, cgroup]);
  // Nobody listens; the attempt is enough, and its failure no matter.
  const connecting = (): unknown =>
    within(`ip netns exec ${network.left} bash -c ": < /dev/tcp/127.0.0.1/9999" 2> /dev/null || true`)();

  it.for([
    ["cgroup_skb", connecting],
    ["cgroup_sock", connecting],
    ["cgroup_sock_addr", connecting],
    // ip(8) sets the buffers of its netlink socket.
    ["cgroup_sockopt", within("ip link show lo")],
    ["sock_ops", connecting],
    ["cgroup_device", within("head -c 1 /dev/zero")],
    ["cgroup_sysctl", within("cat /proc/sys/kernel/ostype")],
    ["lsm_cgroup", connecting],
  ] as const)("%s run for what happens in it", ([name, act], ctx) => {
    using app = loadOrSkip(ctx, `of_${name}`);
    const link = app.program(`of_${name}`).attach({ cgroup });
    expect(link.info().kind).toBe("cgroup");
    expect(app.seen).toBe(0n);
    act();
    const { seen } = app;
    expect(seen).toBeGreaterThan(0n);
    link.close();
    act();
    expect(app.seen).toBe(seen);
  });
});

describe("an XDP program that is tried out", () => {
  it("runs on frames that go where it sends them", async () => {
    using network = new TestNetwork();
    using app = loadOf("of_xdp");
    const run = { data: frame, repeat: 100, flags: BPF_F_TEST_XDP_LIVE_FRAMES, batchSize: 16 };
    const attempt = () => inNetworkNamespace(network.leftPath, () => app.program("of_xdp").run(run));
    // A signal, whichever Node gets, ends repeated runs; how many there were shows in what was seen.
    let before = app.seen;
    const { returned } = await vi.waitFor(() => {
      before = app.seen;
      return attempt();
    });
    expect(returned).toBe(0);
    expect(app.seen - before).toBe(100n);
    expect(() => app.program("of_xdp").run({ ...run, flags: 0 })).toThrow("EINVAL");
  });
});

describe("programs of sockets", () => {
  it("sk_msg sees what is sent by the sockets of its map", async () => {
    using app = loadOf("of_sk_msg");
    const server: Server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as { port: number }).port, "127.0.0.1");
    const [accepted] = (await once(server, "connection")) as [Socket];
    try {
      await (client.connecting ? once(client, "connect") : undefined);
      using map = socketMap();
      using link = app.program("of_sk_msg").attach({ sockmap: map });
      map.updateRaw(new Uint8Array(4), new Uint8Array(Uint32Array.of(descriptorOf(client)).buffer));
      client.write("eight by");
      const [data] = (await once(accepted, "data")) as [Buffer];
      expect(data.toString()).toBe("eight by");
      expect(app.seen).toBe(1n);
      link.close();
    } finally {
      client.destroy();
      accepted.destroy();
      server.close();
    }
  });

  it("sk_reuseport chooses among the sockets of a group until it is closed", async () => {
    using app = loadOf("of_sk_reuseport");
    const taken = [0, 0];
    const first = await listen(0, () => taken[0]!++);
    const second = await listen(first.port, () => taken[1]!++);
    try {
      const group = app.map<number, number | bigint>("group");
      const link = app.program("of_sk_reuseport").attach({ reuseport: descriptorOf(second.server) });
      group.update(0, descriptorOf(first.server));
      for (let i = 0; i < 8; i++) await connectTo(first.port);
      expect(taken).toEqual([8, 0]);
      expect(app.seen).toBe(8n);
      expect(() => link.info()).toThrow("reuseport group of descriptor");
      link.close();
      await connectTo(first.port);
      expect(app.seen).toBe(8n);
      expect(() => app.program("of_sk_reuseport").attach({ reuseport: 0x7fff_ffff })).toThrow("EBADF");
      expect(() => app.program("of_sk_reuseport").attach({ socketFilter: 0 })).toThrow("a socket filter takes");
    } finally {
      first.server.close();
      second.server.close();
    }
  });
});

describe("a program bound to a device", () => {
  it("goes there alone", (ctx) => {
    if (newerThanKernel("6.3") !== undefined) ctx.skip("the kernel binds no programs to devices");
    using network = new TestNetwork();
    const index = inNetworkNamespace(network.leftPath, () => interfaceIndex("veth0"));
    using app = inNetworkNamespace(network.leftPath, () => loadOf("of_xdp", { interfaceIndex: index }));
    const attach = (device: string) =>
      app.program("of_xdp").attach({ xdp: { interface: device, netns: network.leftPath } });
    expect(() => attach("lo")).toThrow("EINVAL");
    using link = attach("veth0");
    expect(link.info()).toMatchObject({ kind: "xdp", interfaceIndex: index });
  });
});

/** Node keeps the descriptor on its handle, without a name in its types. */
function descriptorOf(socket: Server | Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

/** A map that no program of the type refers to. */
function socketMap(): BpfMap {
  const spec = objectSpec("program-types").maps.get("sockets");
  if (spec === undefined) throw new Error("no map of sockets");
  return new KernelEngine().createMap(spec, undefined, undefined);
}

async function listen(port: number, connected: () => void): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    connected();
    socket.end();
  });
  server.listen({ port, host: "127.0.0.1", reusePort: true });
  await once(server, "listening");
  return { server, port: (server.address() as { port: number }).port };
}

/** Resolves once the other side has closed the connection, which it does when it has counted it. */
async function connectTo(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.resume();
  await once(socket, "close");
}
