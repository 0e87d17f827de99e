// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { checksumFaults, ethernet, ipv4, ipv6, packet, parsePacket, tcp, udp, vxlan } from "../index.ts";
import { SAMPLES } from "../samples.test-kit.ts";

/** One bit of the bytes from `start` on. */
const flip = (start: number) => fc.tuple(fc.integer({ min: start, max: start + 200 }), fc.nat(7));

test("any bit that flips under a TCP checksum is seen", () => {
  const bytes = packet(ethernet(), ipv4(), tcp(), "payload of some length");
  fc.assert(
    fc.property(flip(34), ([at, bit]) => {
      fc.pre(at < bytes.length && at !== 46);
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      expect(checksumFaults(parsePacket(changed)).map(({ layer }) => layer.kind)).toEqual(["tcp"]);
    }),
  );
});

test.each(["udp6", "icmp", "icmpv6", "extensions", "gre", "syn", "sack"])(
  "%s: the fault gives the checksum that is right",
  (name) => {
    const bytes = SAMPLES[name]?.() ?? new Uint8Array();
    for (const kind of ["ipv4", "icmp", "icmpv6", "tcp", "udp", "gre"] as const) {
      const layer = parsePacket(bytes).layer(kind);
      if (layer?.checksum === undefined) continue;
      const at = layer.offset + { ipv4: 10, icmp: 2, icmpv6: 2, tcp: 16, udp: 6, gre: 4 }[kind];
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x55;
      const found = checksumFaults(parsePacket(changed)).find((fault) => fault.layer.kind === kind);
      expect([found?.found, found?.expected]).toEqual([layer.checksum ^ 0x5500, layer.checksum]);
    }
  },
);

test("what covers bytes that are not there is not judged, the IPv4 header is", () => {
  const bytes = packet(ethernet(), ipv4({ checksum: 1 }), tcp({ checksum: 1 }), "data");
  expect(checksumFaults(parsePacket(bytes)).map(({ layer }) => layer.kind)).toEqual(["ipv4", "tcp"]);
  expect(checksumFaults(parsePacket(bytes.subarray(0, -1))).map(({ layer }) => layer.kind)).toEqual(["ipv4"]);
  const fragment = packet(ethernet(), ipv4({ moreFragments: true }), tcp({ checksum: 1 }));
  expect(checksumFaults(parsePacket(fragment))).toEqual([]);
});

test("padding is under no checksum", () => {
  expect(checksumFaults(parsePacket(packet(packet(ethernet(), ipv4(), tcp()), "padding")))).toEqual([]);
});

test("UDP may go without over IPv4 and with a tunnel in it", () => {
  const kinds = (bytes: Uint8Array) => checksumFaults(parsePacket(bytes)).map(({ layer }) => layer.kind);
  expect(kinds(packet(ethernet(), ipv4(), udp({ checksum: 0 })))).toEqual([]);
  expect(kinds(packet(ethernet(), ipv6(), udp({ checksum: 0 }), vxlan(), ethernet(), ipv4()))).toEqual([]);
  expect(kinds(packet(ethernet(), ipv6(), udp({ checksum: 0 })))).toEqual(["udp"]);
});
