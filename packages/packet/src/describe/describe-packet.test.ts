// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { arp, describePacket, ethernet, icmp, icmpv6, ipv4, ipv6, packet, tcp, udp } from "../index.ts";

const RAW = 101;

test("what is wrong stands behind", () => {
  const bytes = packet(ipv4({ checksum: 1 }), tcp({ flags: [], destinationPort: 443 }), "x");
  expect(describePacket(bytes, RAW)).toBe(
    "IP 192.0.2.1.49152 > 198.51.100.1.443: Flags [none], seq 0:1, win 65535, length 1 [wrong ipv4 checksum 0x0001, should be 0x8e99]",
  );
  expect(describePacket(bytes.subarray(0, 30), RAW)).toBe(
    "IP 192.0.2.1 > 198.51.100.1: ip-proto-6, length 10 [truncated ipv4 at byte 0: length is 41 bytes, 30 there]" +
      " [truncated tcp at byte 20: 20 bytes wanted, 10 there] [wrong ipv4 checksum 0x0001, should be 0x8e99]",
  );
});

test.each([
  ["no bytes [truncated ipv4 at byte 0: 20 bytes wanted, 0 there]", new Uint8Array()],
  ["length 3 [truncated ipv4 at byte 0: 20 bytes wanted, 3 there]", Uint8Array.of(0x45, 0, 0)],
  ["IP 192.0.2.1 > 198.51.100.1: ip-proto-253, length 4", packet(ipv4(), "data")],
  ["IP 192.0.2.1 > 198.51.100.1: ip-proto-253", packet(ipv4())],
  ["IP6 2001:db8::1 > 2001:db8::2: ip-proto-59", packet(ipv6())],
  [
    "IP 192.0.2.1 > 198.51.100.1: frag (8|more) ip-proto-6, length 8",
    packet(ipv4({ fragmentOffset: 8, moreFragments: true, protocol: 6 }), new Uint8Array(8)),
  ],
  ["IP 192.0.2.1 > 198.51.100.1: ICMP unreachable, code 1, length 8", packet(ipv4(), icmp({ type: 3, code: 1 }))],
  ["IP 192.0.2.1 > 198.51.100.1: ICMP redirect, code 4, length 8", packet(ipv4(), icmp({ type: 5, code: 4 }))],
  [
    "IP 192.0.2.1 > 198.51.100.1: ICMP unreachable, need to frag (mtu 1399), length 8",
    packet(ipv4(), icmp({ type: 3, code: 4, rest: 0x10577 })),
  ],
  ["IP 192.0.2.1 > 198.51.100.1: ICMP time exceeded, length 8", packet(ipv4(), icmp({ type: 11 }))],
  ["IP 192.0.2.1 > 198.51.100.1: ICMP type 200, code 7, length 8", packet(ipv4(), icmp({ type: 200, code: 7 }))],
  [
    "IP6 2001:db8::1 > 2001:db8::2: ICMP6, packet too big, mtu 1280, length 8",
    packet(ipv6(), icmpv6({ type: 2, rest: 1280 })),
  ],
  ["IP 192.0.2.1.49152 > 198.51.100.1.9: UDP, length 1, trailer 4", packet(packet(ipv4(), udp(), "x"), "tail")],
])("%s", (text, bytes) => {
  expect(describePacket(bytes, RAW)).toBe(text);
});

test("an ARP reply", () => {
  const reply = packet(ethernet(), arp({ operation: 2, targetMac: "02:00:00:00:00:02" }));
  expect(describePacket(reply)).toBe(
    "02:00:00:00:00:01 > 02:00:00:00:00:02, ARP, Reply 192.0.2.1 is-at 02:00:00:00:00:01",
  );
});

test("an Ethernet frame of a type that is not read", () => {
  expect(describePacket(packet(ethernet({ etherType: 0x88cc }), "lldp"))).toBe(
    "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 0x88cc, length 4",
  );
});
