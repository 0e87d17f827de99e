// SPDX-License-Identifier: Apache-2.0

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmdirSync, statSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { AttachType, NotSupportedError } from "@skep/ebpf";
import {
  detachedMount,
  inNetworkNamespace,
  interfaceIndex,
  kernelVersion,
  removeTcFilter,
  tcFilters,
} from "@skep/linux";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectToSelf, ip, sendTo, sendToSelf, TestNetwork } from "../test-objects/links-network.ts";
import { kernelDescriptors, loadObject } from "../test-objects/load-object.ts";
import { orSkip } from "../test-objects/or-skip.ts";
import { KernelLink } from "./kernel-link.ts";
import { unpin } from "./pin.ts";
import { queryAttached } from "./query-attached.ts";

let network: TestNetwork;

beforeAll(() => {
  network = new TestNetwork();
});

afterAll(() => network[Symbol.dispose]());

const load = (...programs: string[]) => loadObject("links-network", { programs });

describe("XDP", () => {
  it.each(["generic", "driver"] as const)("drops packets in %s mode until its link is closed", (mode) => {
    using object = load("drop_xdp");
    const xdp = { interface: "veth1", netns: network.rightPath, mode };
    const link = object.collection.program("drop_xdp").attach({ xdp });
    sendTo(network.left, "10.77.0.2", 5);
    expect(object.variable("seen")).toBe(5n);
    link.close();
    sendTo(network.left, "10.77.0.2", 2);
    expect(object.variable("seen")).toBe(5n);
  });

  it("changes its program, detaches, and tells about itself", () => {
    using object = load("drop_xdp", "pass_xdp");
    const { right, rightPath } = network;
    const index = JSON.parse(ip("-n", right, "-j", "link", "show", "dev", "lo"))[0].ifindex as number;
    using link = object.collection.program("drop_xdp").attach({ xdp: { interface: index, netns: rightPath } });
    expect(sendToSelf(right)).toBe("lost");
    const before = link.info();
    expect(before).toMatchObject({ kind: "xdp", interfaceIndex: index });
    link.update(object.collection.program("pass_xdp"));
    expect(sendToSelf(right)).toBe("received");
    expect(object.variable("seen")).toBe(101n);
    expect(link.info().programId).not.toBe(before.programId);
    link.detach();
    expect(sendToSelf(right)).toBe("received");
    expect(object.variable("seen")).toBe(101n);
    expect(link.info()).toMatchObject({ kind: "xdp", interfaceIndex: 0 });
  });

  it("says that there is no such interface in that namespace, and leaves this thread in its own", () => {
    using object = load("drop_xdp");
    const own = statSync("/proc/thread-self/ns/net").ino;
    expect(() =>
      object.collection.program("drop_xdp").attach({ xdp: { interface: "veth1", netns: network.leftPath } }),
    ).toThrow(`there is no network interface "veth1" in network namespace ${network.leftPath}`);
    expect(statSync("/proc/thread-self/ns/net").ino).toBe(own);
  });
});

describe("tcx", () => {
  it("runs programs in the order of their anchors, at a known revision", (ctx) => {
    using object = load("tcx_1", "tcx_2", "tcx_3", "drop_tcx");
    const point = { interface: "veth1", netns: network.rightPath };
    const program = (name: string) => object.collection.program(name);
    using one = orSkip(ctx, () => program("tcx_1").attach({ tcx: point }));
    using two = program("tcx_2").attach({ tcx: { ...point, anchor: { before: one } } });
    using three = program("tcx_3").attach({ tcx: { ...point, anchor: { after: { linkId: two.info().id } } } });
    sendTo(network.left, "10.77.0.2");
    expect(object.variable("order")).toBe(231n);
    const attached = queryAttached({ tcx: { ...point, direction: "ingress" } });
    const ids = [two, three, one].map((link) => ({ programId: link.info().programId, linkId: link.info().id }));
    expect(attached.programs).toEqual(ids);
    const { revision } = attached;
    const first = (at: bigint) =>
      program("drop_tcx").attach({ tcx: { ...point, direction: "ingress", anchor: "first", revision: at } });
    expect(() => first(revision - 1n)).toThrow("ESTALE");
    first(revision).close();
    expect(queryAttached({ tcx: { ...point, direction: "ingress" } }).revision).toBe(revision + 2n);
    one.detach();
    sendTo(network.left, "10.77.0.2");
    expect(object.variable("order")).toBe(23123n);
  });

  it("drops what leaves", (ctx) => {
    using object = load("drop_tcx");
    const tcx = { interface: "lo", netns: network.rightPath };
    using link = orSkip(ctx, () => object.collection.program("drop_tcx").attach({ tcx }));
    expect(sendToSelf(network.right)).toBe("lost");
    expect(object.variable("seen")).toBe(1n);
    expect(link.info().kind).toBe("tcx");
  });

  it("wants to be told a direction when the program's section names none", () => {
    using object = load("drop_netkit");
    const attach = () => object.collection.program("drop_netkit").attach({ tcx: { interface: "lo" } });
    expect(attach).toThrow("names no direction; give ingress or egress");
  });
});

describe("a tc filter", () => {
  it.each(["ingress", "egress"] as const)("drops what passes %s, until it is closed", (direction) => {
    using object = load("drop_tcx");
    const tc = { interface: "lo", netns: network.rightPath, direction };
    const link = object.collection.program("drop_tcx").attach({ tc });
    expect(sendToSelf(network.right)).toBe("lost");
    expect(object.variable("seen")).toBe(1n);
    expect(() => link.info()).toThrow(NotSupportedError);
    link.close();
    expect(sendToSelf(network.right)).toBe("received");
    expect(object.variable("seen")).toBe(1n);
  });

  it("runs by priority, and closes quietly when its interface has gone", () => {
    using object = load("tcx_1", "drop_tcx");
    ip("-n", network.left, "link", "add", "skep0", "type", "veth", "peer", "name", "skep1");
    const tc = { interface: "veth1", netns: network.rightPath, direction: "ingress" } as const;
    using _last = object.collection.program("drop_tcx").attach({ tc: { ...tc, priority: 20 } });
    using _first = object.collection.program("tcx_1").attach({ tc: { ...tc, priority: 10 } });
    sendTo(network.left, "10.77.0.2");
    // The first says "go on", so both ran.
    expect([object.variable("order"), object.variable("seen")]).toEqual([1n, 1n]);
    const gone = { ...tc, interface: "skep0", netns: network.leftPath };
    const link = object.collection.program("drop_tcx").attach({ tc: gone });
    ip("-n", network.left, "link", "delete", "skep0");
    link.close();
  });

  it("leave a filter alone that took the place of theirs", () => {
    using object = load("tcx_1", "drop_tcx");
    const tc = { interface: "veth1", netns: network.rightPath, direction: "ingress", priority: 30 } as const;
    const filters = () => inNetworkNamespace(network.rightPath, () => tcFilters(interfaceIndex("veth1")));
    const first = object.collection.program("tcx_1").attach({ tc });
    const [filter] = filters();
    if (filter === undefined) throw new Error("no filter");
    const index = inNetworkNamespace(network.rightPath, () => interfaceIndex("veth1"));
    inNetworkNamespace(network.rightPath, () => removeTcFilter({ ...filter, interfaceIndex: index }, "filter"));
    const second = object.collection.program("drop_tcx").attach({ tc });
    expect(filters()).toMatchObject([{ priority: 30, handle: filter.handle, name: "drop_tcx" }]);
    first.close();
    expect(filters()).toHaveLength(1);
    second.close();
    expect(filters()).toEqual([]);
  });
});

describe("a pinned link", () => {
  it("stays attached when it is closed, until its pin is removed", () => {
    using mount = detachedMount("bpf");
    const path = `/proc/self/fd/${mount.number}/link`;
    using object = load("drop_xdp");
    const target = { xdp: { interface: "veth1", netns: network.rightPath } };
    const loaded = object.collection.program("drop_xdp").attach(target);
    if (!(loaded.link instanceof KernelLink)) throw new Error("not a link of the kernel");
    loaded.link.pin(path);
    try {
      loaded.close();
      sendTo(network.left, "10.77.0.2");
      expect(object.variable("seen")).toBe(1n);
    } finally {
      unpin(path);
    }
    sendTo(network.left, "10.77.0.2");
    expect(object.variable("seen")).toBe(1n);
  });
});

describe("netkit", () => {
  it("drops what its primary end sends", (ctx) => {
    using object = load("drop_netkit");
    try {
      // Debian 12's ip(8) does not know the peer's options, so the kernel names it: nk0.
      ip("-n", network.left, "link", "add", "primary0", "type", "netkit");
    } catch (error) {
      if (String(error).includes("Unknown device type")) ctx.skip("the kernel has no netkit");
      throw error;
    }
    ip("-n", network.left, "address", "add", "10.78.0.1/24", "dev", "primary0");
    ip("-n", network.left, "link", "set", "nk0", "up");
    ip("-n", network.left, "link", "set", "primary0", "up");
    const target = { netkit: { interface: "primary0", netns: network.leftPath } };
    using link = object.collection.program("drop_netkit").attach(target);
    sendTo(network.left, "10.78.0.2", 3);
    expect(object.variable("seen")).toBeGreaterThanOrEqual(3n);
    expect(link.info().kind).toBe("netkit");
  });
});

describe("a network namespace", () => {
  it("refuses connections by socket lookup", () => {
    using object = load("refuse_lookup");
    expect(connectToSelf(network.right)).toBe("connected");
    const link = object.collection.program("refuse_lookup").attach({ netns: network.rightPath });
    expect(connectToSelf(network.right)).toBe("ECONNREFUSED");
    expect(object.variable("seen")).toBeGreaterThan(0n);
    expect(link.info()).toMatchObject({ kind: "netns", netnsInode: statSync(network.rightPath).ino });
    link.close();
    expect(connectToSelf(network.right)).toBe("connected");
  });

  it("has packets dissected by a program", (ctx) => {
    using object = load("dissect", "hash_tcx");
    const tcx = { interface: "veth0", netns: network.leftPath };
    // Something has to ask for the hash.
    using _hash = orSkip(ctx, () => object.collection.program("hash_tcx").attach({ tcx }));
    const link = object.collection.program("dissect").attach({ netns: network.leftPath });
    sendTo(network.left, "10.77.0.2", 3);
    const dissected = object.variable("dissected");
    expect(dissected).toBeGreaterThanOrEqual(3n);
    link.close();
    sendTo(network.left, "10.77.0.2", 3);
    expect(object.variable("dissected")).toBe(dissected);
  });
});

describe("netfilter", () => {
  it("drops at its hook, in the namespace that was named", (ctx) => {
    using object = orSkip(ctx, () => load("drop_netfilter"));
    const netfilter = { family: "ipv4", hook: "input", priority: 10, netns: network.rightPath } as const;
    const link = object.collection.program("drop_netfilter").attach({ netfilter });
    expect(sendToSelf(network.left)).toBe("received");
    expect(object.variable("seen")).toBe(0n);
    expect(sendToSelf(network.right)).toBe("lost");
    expect(object.variable("seen")).toBe(1n);
    expect(link.info()).toMatchObject({ kind: "netfilter", family: 2, hook: 1, priority: 10 });
    expect(() => link.update(object.collection.program("drop_netfilter"))).toThrow(NotSupportedError);
    link.detach();
    expect(sendToSelf(network.right)).toBe("received");
  });
});

describe("a cgroup", () => {
  const mount = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) => existsSync(`${path}/cgroup.procs`)) ?? "";
  const cgroup = `${mount}/skep-${process.pid}`;

  beforeAll(() => mkdirSync(cgroup));
  afterAll(() => rmdirSync(cgroup));

  it.each([undefined, "link", "multi", "override", "exclusive"] as const)("refuses to connect, in mode %s", (mode) => {
    using object = load("refuse_connect");
    const before = kernelDescriptors().length;
    const link = object.collection.program("refuse_connect").attach({ cgroup, ...(mode && { mode }) });
    expect(connectToSelf(network.right, cgroup)).toBe("EPERM");
    expect(connectToSelf(network.right)).toBe("connected");
    expect(object.variable("seen")).toBe(1n);
    if (mode === undefined) expect(link.info()).toMatchObject({ kind: "cgroup", attachType: 10 });
    if (mode === "multi") expect(() => link.info()).toThrow(NotSupportedError);
    link.close();
    expect(connectToSelf(network.right, cgroup)).toBe("connected");
    expect(kernelDescriptors()).toHaveLength(before);
  });

  it("runs programs in the order of their anchors", (ctx) => {
    using object = load("connect_1", "connect_2");
    using one = object.collection.program("connect_1").attach({ cgroup });
    const target = { cgroup, anchor: { before: one } };
    using two = orSkip(ctx, () => object.collection.program("connect_2").attach(target));
    expect(connectToSelf(network.right, cgroup)).toBe("connected");
    expect(object.variable("order")).toBe(21n);
    const { programs } = queryAttached({ cgroup, attachType: AttachType.CGROUP_INET4_CONNECT });
    expect(programs.map(({ programId }) => programId)).toEqual([two.info().programId, one.info().programId]);
  });

  it("changes the program of a link", () => {
    using object = load("refuse_connect", "connect_1");
    using link = object.collection.program("refuse_connect").attach({ cgroup });
    link.update(object.collection.program("connect_1"));
    expect(connectToSelf(network.right, cgroup)).toBe("connected");
    expect(object.variable("order")).toBe(1n);
  });

  it("must exist", () => {
    using object = load("refuse_connect");
    const attach = () => object.collection.program("refuse_connect").attach({ cgroup: `${mount}/no-such` });
    expect(attach).toThrow("no-such cannot be opened: ENOENT");
  });
});

describe("a socket filter", () => {
  it("keeps packets from its socket until it is closed", async () => {
    using object = load("drop_socket");
    const socket = createSocket("udp4");
    let received = 0;
    socket.on("message", () => received++);
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const send = () => new Promise<unknown>((done) => socket.send("x", socket.address().port, "127.0.0.1", done));
    const fd = (socket as unknown as Record<symbol, { handle: { fd: number } }>)[stateSymbol(socket)]!.handle.fd;
    const link = object.collection.program("drop_socket").attach({ socketFilter: fd });
    await send();
    await sleep(20);
    expect([received, object.variable("seen")]).toEqual([0, 1n]);
    link.close();
    await send();
    await sleep(20);
    expect([received, object.variable("seen")]).toEqual([1, 1n]);
    socket.close();
  });
});

/** Node keeps the descriptor of a datagram socket to itself. */
function stateSymbol(socket: object): symbol {
  const symbol = Object.getOwnPropertySymbols(socket).find((each) => each.description === "state symbol");
  if (symbol === undefined) throw new Error("this Node keeps the state of a socket elsewhere");
  return symbol;
}

describe("a sockmap", () => {
  it.each([undefined, "attach"] as const)("gives what its sockets receive to the program, in mode %s", async (mode) => {
    using object = load("redirect_sockmap");
    const server: Server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const client = connect(port, "127.0.0.1");
    const [accepted] = (await once(server, "connection")) as [Socket];
    const fd = (accepted as unknown as { _handle: { fd: number } })._handle.fd;
    const map = object.kernelMap("sockets");
    const link = object.collection.program("redirect_sockmap").attach({ sockmap: map, ...(mode && { mode }) });
    const put = () => map.updateRaw(new Uint8Array(4), new Uint8Array(Uint32Array.of(fd).buffer));
    put();
    client.write("seven b");
    const [data] = (await once(accepted, "data")) as [Buffer];
    expect(data.toString()).toBe("seven b");
    expect(object.variable("seen")).toBe(7n);
    const [major, minor] = kernelVersion();
    const byLink = mode === undefined && (major > 6 || (major === 6 && minor >= 10));
    if (byLink) expect(link.info().kind).toBe("sockmap");
    else expect(() => link.info()).toThrow(NotSupportedError);
    link.close();
    // A socket keeps the program that was attached when it was put in.
    map.deleteRaw(new Uint8Array(4));
    put();
    client.write("eight by");
    await once(accepted, "data");
    expect(object.variable("seen")).toBe(7n);
    client.destroy();
    accepted.destroy();
    server.close();
  });
});

describe("links to networks", () => {
  it("leave no descriptor open", () => {
    const before = kernelDescriptors().length;
    {
      using object = load("drop_xdp");
      using _link = object.collection
        .program("drop_xdp")
        .attach({ xdp: { interface: "lo", netns: network.rightPath } });
    }
    expect(kernelDescriptors()).toHaveLength(before);
    expect(netnsDescriptors()).toEqual([]);
  });
});

/** This process's descriptors of network namespaces. */
function netnsDescriptors(): string[] {
  return readdirSync("/proc/self/fd").filter((fd) => {
    const path = `/proc/self/fd/${fd}`;
    // The descriptor of the listing itself is closed by now.
    return existsSync(path) && readlinkSync(path).includes("netns");
  });
}
