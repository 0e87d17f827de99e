// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import type { NetfilterPoint } from "@skep/ebpf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PORT, TestNetwork } from "../test-objects/links-network.ts";
import { loadObject } from "../test-objects/load-object.ts";
import { orSkip } from "../test-objects/or-skip.ts";

let network: TestNetwork;

beforeAll(() => {
  network = new TestNetwork();
});

afterAll(() => network[Symbol.dispose]());

const load = (program: string) => loadObject("links-places", { programs: [program] });

/** Sends itself a datagram over IPv6's loopback address: `received` or `lost`. */
function sendToSelf6(netns: string): string {
  const script = `
    const server = require("node:dgram").createSocket("udp6").bind(${PORT}, "::1", () => {
      const end = (word) => { console.log(word); process.exit(); };
      server.on("message", () => end("received"));
      require("node:dgram").createSocket("udp6").send("x", ${PORT}, "::1", () => setTimeout(end, 200, "lost"));
    });`;
  const child = spawnSync("ip", ["netns", "exec", netns, process.execPath, "-e", script], { encoding: "utf8" });
  expect(child.stderr).toBe("");
  return child.stdout.trim();
}

/** Sends a datagram of three thousand bytes, which takes three packets. */
function sendLarge(netns: string, address: string): void {
  const script = `head -c 3000 /dev/zero | dd bs=3000 iflag=fullblock status=none > /dev/udp/${address}/${PORT}`;
  const child = spawnSync("ip", ["netns", "exec", netns, "bash", "-c", script], { encoding: "utf8" });
  expect(child.stderr).toBe("");
}

describe("netfilter", () => {
  it("drops packets of IPv6 at its hook", (ctx) => {
    using object = orSkip(ctx, () => load("drop"));
    const netfilter = { family: "ipv6", hook: "input", priority: 10, netns: network.rightPath } as const;
    expect(sendToSelf6(network.right)).toBe("received");
    const link = object.collection.program("drop").attach({ netfilter });
    expect(sendToSelf6(network.right)).toBe("lost");
    expect(object.variable("seen")).toBeGreaterThan(0n);
    expect(link.info()).toMatchObject({ kind: "netfilter", family: 10, hook: 1, priority: 10, flags: 0 });
    link.close();
    expect(sendToSelf6(network.right)).toBe("received");
  });

  it("shows the program packets as they come, or put together", (ctx) => {
    using object = orSkip(ctx, () => load("measure"));
    const place: NetfilterPoint = { family: "ipv4", hook: "prerouting", priority: -300, netns: network.rightPath };
    const attach = (defragment: boolean) =>
      object.collection.program("measure").attach({ netfilter: { ...place, defragment } });
    const link = attach(false);
    sendLarge(network.left, "10.77.0.2");
    expect(object.variable("seen")).toBe(3n);
    expect(object.variable("largest")).toBeLessThanOrEqual(1500n);
    link.close();
    using whole = orSkip(ctx, () => attach(true));
    sendLarge(network.left, "10.77.0.2");
    expect(object.variable("seen")).toBe(4n);
    expect(object.variable("largest")).toBe(3028n);
    expect(whole.info()).toMatchObject({ kind: "netfilter", priority: -300, flags: 1 });
  });
});
