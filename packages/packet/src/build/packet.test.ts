// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import {
  checksumFaults,
  ethernet,
  gre,
  icmp,
  ipv4,
  ipv6,
  packet,
  parseIp,
  parsePacket,
  routing,
  segmentRouting,
  tcp,
  udp,
  vlan,
} from "../index.ts";

test("lengths and checksums can be said otherwise", () => {
  const bytes = packet(
    ethernet({ etherType: 0x0800 }),
    ipv4({ totalLength: 20, headerLength: 24, checksum: 0x1234, protocol: 99 }),
    udp({ length: 7, checksum: 0 }),
  );
  expect(Buffer.from(bytes.subarray(12)).toString("hex")).toBe(
    "0800460000140000000040631234c0000201c6336401c000000900070000",
  );
});

test("a packet of one payload is that payload, text is UTF-8", () => {
  expect(packet(Uint8Array.of(1, 2), "é")).toEqual(Uint8Array.of(1, 2, 0xc3, 0xa9));
  expect(packet()).toEqual(new Uint8Array());
});

test("what is built of a view's bytes does not change with it", () => {
  const payload = Uint8Array.of(1);
  const bytes = packet(ipv4(), payload);
  payload[0] = 9;
  expect(bytes.at(-1)).toBe(1);
});

test("a UDP checksum that comes out as 0 is written 0xffff", () => {
  const plain = packet(ipv4(), udp(), Uint8Array.of(0, 0));
  const view = new DataView(plain.buffer);
  // The payload that makes the sum 0xffff is the checksum that there is without it.
  const payload = plain.slice(26, 28);
  const bytes = packet(ipv4(), udp(), payload);
  expect(view.getUint16(26)).not.toBe(0);
  expect(new DataView(bytes.buffer).getUint16(26)).toBe(0xffff);
  expect(checksumFaults(parsePacket(bytes, 101))).toEqual([]);
});

test("the last segment is the checksum's destination until it is reached", () => {
  const segments = ["2001:db8::a", "2001:db8::b"];
  const on = packet(ipv6({ destination: "2001:db8::a" }), segmentRouting({ segments }), udp(), "x");
  const there = packet(ipv6({ destination: "2001:db8::b" }), segmentRouting({ segments, segmentsLeft: 0 }), udp(), "x");
  expect(parsePacket(on, 101).layer("udp")?.checksum).toBe(parsePacket(there, 101).layer("udp")?.checksum);
});

test.each([0, 2])(
  "the last address of a routing header of type %i is the checksum's destination until it is reached",
  (routingType) => {
    const addresses = ["2001:db8::c", "2001:db8::b"].flatMap((text) => [...parseIp(text)]);
    const data = Uint8Array.from([0, 0, 0, 0, ...(routingType === 2 ? addresses.slice(16) : addresses)]);
    const checksum = (destination: string, segmentsLeft: number) =>
      parsePacket(packet(ipv6({ destination }), routing({ routingType, segmentsLeft, data }), udp(), "x"), 101).layer(
        "udp",
      )?.checksum;
    expect(checksum("2001:db8::a", 1)).toBe(checksum("2001:db8::b", 0));
    expect(checksum("2001:db8::a", 0)).not.toBe(checksum("2001:db8::b", 0));
  },
);

test.each([
  [() => packet(tcp()), "tcp: no IP header before it gives addresses for its checksum; give a checksum"],
  [() => packet(ipv4({ ttl: 256 })), "ipv4: ttl is 256, wanted 0 to 255"],
  [() => packet(ipv4({ ttl: 1.5 })), "ipv4: ttl is 1.5, wanted 0 to 255"],
  [() => packet(ipv4({ headerLength: 21 })), "ipv4: headerLength is 21 bytes, wanted a multiple of 4 up to 60"],
  [() => packet(ipv4({ fragmentOffset: 4 })), "ipv4: fragmentOffset is 4 bytes, wanted a multiple of 8 up to 65528"],
  [() => packet(ipv4({ source: "::1" })), "ipv4: an IPv6 address was given, wanted IPv4"],
  [() => packet(ipv6({ source: "10.0.0.1" })), "ipv6: an IPv4 address was given, wanted IPv6"],
  [() => packet(ipv4({ options: [{ type: 7, data: new Uint8Array(41) }] })), "ipv4: headerLength is 64 bytes"],
  [() => packet(ipv4(), new Uint8Array(65516)), "ipv4: totalLength is 65536, wanted 0 to 65535"],
  [() => packet(ipv4(), tcp({ sourcePort: -1 })), "tcp: sourcePort is -1, wanted 0 to 65535"],
  [() => packet(ipv4(), icmp({ rest: 2 ** 32 })), "icmp: rest is 4294967296, wanted 0 to 4294967295"],
  [() => packet(ethernet(), vlan({ id: 4096 })), "vlan: id is 4096, wanted 0 to 4095"],
  [() => packet(ethernet({ source: "02:00" })), '"02:00" is no MAC address'],
  [() => packet(ipv4(), gre({ key: Number.NaN })), "gre: key is NaN"],
])("%s says what does not fit", (build, message) => {
  expect(build).toThrow(message);
});
