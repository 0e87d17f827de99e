// SPDX-License-Identifier: Apache-2.0

import { closeSync, existsSync, mkdirSync, openSync, rmdirSync, statSync } from "node:fs";
import { AttachType } from "@skep/ebpf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectToSelf, ip, sendTo, TestNetwork } from "../test-objects/links-network.ts";
import { loadObject } from "../test-objects/load-object.ts";
import { orSkip } from "../test-objects/or-skip.ts";
import { newerThanKernel } from "./minimum-version.ts";
import { queryAttached } from "./query-attached.ts";

let network: TestNetwork;

beforeAll(() => {
  network = new TestNetwork();
});

afterAll(() => network[Symbol.dispose]());

const load = (...programs: string[]) => loadObject("links-network", { programs });

describe("programs of one tcx place", () => {
  it("go first, last, and before or after a program by its id", (ctx) => {
    using object = load("tcx_1", "tcx_2", "tcx_3");
    const point = { interface: "veth1", netns: network.rightPath };
    const attach = (name: string, order: object) =>
      object.collection.program(name).attach({ tcx: { ...point, ...order } });
    /** The digits of the programs that ran for one packet, in their order. */
    const ran = (): string => {
      const before = String(object.variable("order"));
      sendTo(network.left, "10.77.0.2");
      return String(object.variable("order")).slice(before === "0" ? 0 : before.length);
    };
    using one = orSkip(ctx, () => attach("tcx_1", {}));
    const { programId } = one.info();
    const two = attach("tcx_2", { anchor: { before: { programId } } });
    const three = attach("tcx_3", { anchor: { after: { programId } } });
    expect(ran()).toBe("213");
    two.close();
    three.close();
    using _three = attach("tcx_3", { anchor: "first" });
    using _two = attach("tcx_2", { anchor: "last" });
    expect(ran()).toBe("312");
    expect(() => attach("tcx_1", {})).toThrow("EEXIST");
    _two.close();
    // Another program in the same place: what a peer calls replacing.
    one.update(object.program("tcx_2"));
    expect(ran()).toBe("32");
    const { programs } = queryAttached({ tcx: { ...point, direction: "ingress" } });
    expect(programs).toEqual(
      [_three, one].map((link) => ({ programId: link.info().programId, linkId: link.info().id })),
    );
    expect(() => attach("tcx_1", { anchor: { before: { programId: 0x7fff_fff0 } } })).toThrow("ENOENT");
  });
});

describe("programs of one netkit pair", () => {
  it("run at either end, in the order of their anchors, at a known revision", (ctx) => {
    using object = load("drop_netkit", "pass_netkit", "drop_netkit_peer");
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
    const point = { interface: "primary0", netns: network.leftPath };
    const attach = (name: string, options: object) =>
      object.collection.program(name).attach({ netkit: { ...point, ...options } });
    const revision = () => queryAttached({ netkit: { ...point, end: "primary" } }).revision;
    using drop = attach("drop_netkit", {});
    sendTo(network.left, "10.78.0.2");
    const dropped = object.variable("seen");
    expect(dropped).toBeGreaterThan(0n);
    // It passes everything before the other sees it.
    expect(() => attach("pass_netkit", { anchor: "first", revision: revision() + 1n })).toThrow("ESTALE");
    using pass = attach("pass_netkit", {
      anchor: { before: { programId: drop.info().programId } },
      revision: revision(),
    });
    sendTo(network.left, "10.78.0.2");
    expect(object.variable("seen")).toBe(dropped);
    expect(object.variable("order")).toBeGreaterThan(0n);
    using peer = attach("drop_netkit_peer", {});
    expect(queryAttached({ netkit: { ...point, end: "peer" } }).programs).toMatchObject([{ linkId: peer.info().id }]);
    expect(queryAttached({ netkit: { ...point, end: "primary" } }).programs).toMatchObject(
      [pass, drop].map((link) => ({ linkId: link.info().id })),
    );
    expect(peer.info()).toMatchObject({ kind: "netkit", attachType: AttachType.NETKIT_PEER });
    drop.detach();
    expect(queryAttached({ netkit: { ...point, end: "primary" } }).programs).toHaveLength(1);
  });
});

describe("what is attached", () => {
  it("to XDP is told with its mode", () => {
    using object = load("pass_xdp");
    const xdp = { interface: "veth1", netns: network.rightPath };
    expect(queryAttached({ xdp }).programs).toEqual([]);
    for (const mode of ["generic", "driver"] as const) {
      using link = object.collection.program("pass_xdp").attach({ xdp: { ...xdp, mode } });
      const { programId } = link.info();
      expect(queryAttached({ xdp }).programs).toEqual([{ mode, programId, linkId: undefined }]);
    }
    expect(() => queryAttached({ xdp: { ...xdp, interface: "no-such" } })).toThrow("there is no network interface");
  });

  it("to a network namespace, given by a descriptor", () => {
    using object = load("refuse_lookup");
    const fd = openSync(network.rightPath, "r");
    const link = object.collection.program("refuse_lookup").attach({ netns: fd });
    closeSync(fd);
    expect(connectToSelf(network.right)).toBe("ECONNREFUSED");
    const { programId } = link.info();
    const { programs } = queryAttached({ netns: network.rightPath, attachType: AttachType.SK_LOOKUP });
    expect(programs).toEqual([{ programId, linkId: undefined }]);
    expect(link.info()).toMatchObject({ kind: "netns", netnsInode: statSync(network.rightPath).ino });
    link.close();
  });

  it("to a cgroup, its own or with those of the cgroups around it", () => {
    const mount = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) => existsSync(`${path}/cgroup.procs`)) ?? "";
    const outer = `${mount}/skep-query-${process.pid}`;
    const inner = `${outer}/inner`;
    mkdirSync(inner, { recursive: true });
    try {
      using object = load("connect_1", "connect_2");
      using _outer = object.collection.program("connect_1").attach({ cgroup: outer, mode: "multi" });
      using own = object.collection.program("connect_2").attach({ cgroup: inner });
      const { programId } = own.info();
      const place = { cgroup: inner, attachType: AttachType.CGROUP_INET4_CONNECT };
      const ids = (effective: boolean) => queryAttached({ ...place, effective }).programs.map((each) => each.programId);
      expect(ids(false)).toEqual([programId]);
      expect(ids(true)).toEqual([programId, object.program("connect_1").info().id]);
    } finally {
      rmdirSync(inner);
      rmdirSync(outer);
    }
  });

  it.for(["link", "attach"] as const)("to a sockmap, in mode %s", (mode, ctx) => {
    if (mode === "link" && newerThanKernel("6.10") !== undefined)
      ctx.skip("a link to a sockmap needs Linux 6.10 or newer");
    using object = load("redirect_sockmap");
    const sockmap = object.kernelMap("sockets");
    const place = { sockmap, attachType: AttachType.SK_SKB_VERDICT };
    expect(queryAttached(place).programs).toEqual([]);
    const link = object.collection.program("redirect_sockmap").attach({ sockmap, mode });
    const { id } = object.program("redirect_sockmap").info();
    expect(queryAttached(place).programs).toEqual([{ programId: id, linkId: undefined }]);
    if (mode === "link") {
      expect(link.info()).toMatchObject({ kind: "sockmap", programId: id, attachType: AttachType.SK_SKB_VERDICT });
    }
    link.close();
    expect(queryAttached(place).programs).toEqual([]);
  });
});
