// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  describePacket,
  ethernet,
  ipv4,
  ipv6,
  LinkType,
  type ParsedPacket,
  packet,
  parsePacket,
  tcp,
  udp,
} from "../index.ts";
import { SAMPLES } from "../samples.test-kit.ts";

const samples = fc.constantFrom(...Object.values(SAMPLES).map((build) => build()));
const linkTypes = fc.constantFrom(...Object.values(LinkType), 147);

/** Layers lie one behind the other and cover all bytes. */
function expectCovered(parsed: ParsedPacket): void {
  let at = 0;
  for (const layer of parsed.layers) {
    expect([layer.kind, layer.offset, layer.size > 0]).toEqual([layer.kind, at, true]);
    at += layer.size;
  }
  expect(at).toBe(parsed.bytes.length);
}

test("random bytes never throw, and every byte is in a layer", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), linkTypes, (bytes, linkType) => {
      const parsed = parsePacket(bytes, linkType);
      expectCovered(parsed);
      expect(describePacket(parsed)).not.toBe("");
    }),
    { numRuns: 1000 },
  );
});

test("packets with random bytes in them never throw, and every byte is in a layer", () => {
  const changes = fc.array(fc.tuple(fc.nat(150), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(samples, changes, fc.nat(150), (sample, edits, cut) => {
      const bytes = sample.slice(0, cut);
      for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
      const parsed = parsePacket(bytes);
      expectCovered(parsed);
      expect(describePacket(parsed)).not.toBe("");
    }),
    { numRuns: 2000 },
  );
});

test.each(Object.entries(SAMPLES))("%s cut anywhere says so", (_, build) => {
  const bytes = build();
  for (let length = 0; length < bytes.length; length++) {
    const parsed = parsePacket(bytes.subarray(0, length));
    expectCovered(parsed);
    // Of Ethernet alone nobody can tell how long it was, nor of a tag behind it.
    const bare = parsed.layers.every(({ kind }) => kind === "ethernet" || kind === "vlan");
    expect([length, parsed.faults[0]?.kind ?? (bare ? "truncated" : "whole")]).toEqual([length, "truncated"]);
  }
});

test("a cut packet says where", () => {
  const bytes = packet(ethernet(), ipv4(), tcp(), "data").subarray(0, 40);
  const parsed = parsePacket(bytes);
  expect(parsed.faults).toEqual([
    { kind: "truncated", layer: "ipv4", offset: 14, message: "length is 44 bytes, 26 there" },
    { kind: "truncated", layer: "tcp", offset: 34, message: "20 bytes wanted, 6 there" },
  ]);
  expect(parsed.layers.map(({ kind }) => kind)).toEqual(["ethernet", "ipv4", "payload"]);
  expect(parsed.payload.byteOffset).toBe(bytes.byteOffset + 34);
});

test.each([
  ["ipv4 version", packet(ethernet({ etherType: 0x0800 }), ipv6()), "ipv4", 14, "version is 6"],
  ["ipv4 header length", packet(ethernet(), ipv4({ headerLength: 16 })), "ipv4", 14, "header length is 16 bytes"],
  [
    "ipv4 total length",
    packet(ethernet(), ipv4({ totalLength: 19 })),
    "ipv4",
    16,
    "total length is 19, the header has 20",
  ],
  [
    "ipv4 option",
    packet(ethernet(), ipv4({ headerLength: 24 }), Uint8Array.of(1, 7, 9, 0)),
    "ipv4",
    35,
    "option 7: length is 9, 3 bytes left",
  ],
  ["tcp header length", packet(ethernet(), ipv4(), tcp({ headerLength: 4 })), "tcp", 46, "header length is 4 bytes"],
  [
    "tcp option",
    packet(ethernet(), ipv4(), tcp({ options: [{ kind: "raw", data: Uint8Array.of(1, 8, 1, 0) }] })),
    "tcp",
    55,
    "option 8: length is 1, 3 bytes left",
  ],
  ["udp length", packet(ethernet(), ipv4(), udp({ length: 7 })), "udp", 38, "length is 7 bytes"],
] as const)("%s that contradicts itself is named", (_, bytes, layer, offset, message) => {
  expect(parsePacket(bytes).faults).toEqual([{ kind: "malformed", layer, offset, message }]);
});

test("an IPv6 header of another version is named", () => {
  const message = "version is 4";
  const parsed = parsePacket(packet(ethernet({ etherType: 0x86dd }), ipv4(), new Uint8Array(20)));
  expect(parsed.faults).toEqual([{ kind: "malformed", layer: "ipv6", offset: 14, message }]);
});

test("an option of an extension header that is longer than the header is named", () => {
  const header = Uint8Array.of(59, 0, 5, 2, 0, 0, 7, 1);
  const parsed = parsePacket(packet(ethernet(), ipv6({ nextHeader: 0 }), header));
  const message = "option 7 is longer than the 2 bytes left";
  expect(parsed.faults).toEqual([{ kind: "malformed", layer: "hop-by-hop", offset: 60, message }]);
  expect(parsed.layer("hop-by-hop")?.options).toEqual([{ type: 5, data: Uint8Array.of(0, 0) }]);
});

test("an IPv6 payload length of 0 is that of the bytes, unless nothing follows", () => {
  const offloaded = parsePacket(packet(ethernet(), ipv6({ payloadLength: 0 }), udp(), "data"));
  expect(offloaded.layers.map(({ kind }) => kind)).toEqual(["ethernet", "ipv6", "udp", "payload"]);
  const empty = parsePacket(packet(ethernet(), ipv6({ payloadLength: 0, nextHeader: 59 }), new Uint8Array(6)));
  expect(empty.layers.map(({ kind }) => kind)).toEqual(["ethernet", "ipv6", "trailer"]);
});

test("tunnels of versions that are not known are payload", () => {
  const kinds = (bytes: Uint8Array) => parsePacket(bytes).layers.map(({ kind }) => kind);
  const geneve1 = packet(ethernet(), ipv4(), udp({ destinationPort: 6081 }), Uint8Array.of(0x40, 0, 8, 0, 0, 0, 0, 0));
  expect(kinds(geneve1)).toEqual(["ethernet", "ipv4", "udp", "payload"]);
  const pptp = packet(ethernet(), ipv4({ protocol: 47 }), Uint8Array.of(0, 1, 8, 0));
  expect(kinds(pptp)).toEqual(["ethernet", "ipv4", "payload"]);
});

test("padding behind a packet is its trailer", () => {
  const parsed = parsePacket(
    packet(ethernet(), ipv4({ totalLength: 29 }), udp({ length: 9 }), "x", new Uint8Array(17)),
  );
  expect(parsed.layers.map(({ kind, size }) => [kind, size])).toEqual([
    ["ethernet", 14],
    ["ipv4", 20],
    ["udp", 8],
    ["payload", 1],
    ["trailer", 17],
  ]);
  expect(parsed.faults).toEqual([]);
});

test("a later fragment's bytes are no header, a first fragment's are", () => {
  const later = parsePacket(packet(ethernet(), ipv4({ fragmentOffset: 8, protocol: 6 }), new Uint8Array(40)));
  expect(later.layers.map(({ kind }) => kind)).toEqual(["ethernet", "ipv4", "payload"]);
  const first = parsePacket(packet(ethernet(), ipv4({ moreFragments: true }), udp({ length: 4000 }), "x"));
  expect([first.layer("udp")?.length, first.faults]).toEqual([4000, []]);
});

test("extension headers' numbers are nothing to IPv4", () => {
  const parsed = parsePacket(packet(ethernet(), ipv4({ protocol: 44 }), new Uint8Array(8)));
  expect(parsed.layers.map(({ kind }) => kind)).toEqual(["ethernet", "ipv4", "payload"]);
});

test("outermost and innermost layers are found by kind", () => {
  const parsed = parsePacket(packet(ethernet(), ipv4({ ttl: 9 }), ipv4({ ttl: 3 }), udp(), "in"));
  expect([parsed.layer("ipv4")?.ttl, parsed.innermost("ipv4")?.ttl, parsed.layer("tcp")]).toEqual([9, 3, undefined]);
  expect(new TextDecoder().decode(parsed.payload)).toBe("in");
});

test("a packet without a link header begins with its IP header", () => {
  expect(parsePacket(packet(ipv6(), udp()), LinkType.RAW).layers[0]?.kind).toBe("ipv6");
  expect(parsePacket(packet(ipv4(), udp()), LinkType.RAW).layers[0]?.kind).toBe("ipv4");
  expect(parsePacket(packet(ipv4(), udp()), 147).layers[0]?.kind).toBe("payload");
});

test("16,000 tags in each other are read", () => {
  const bytes = new Uint8Array(14 + 16_000 * 4);
  for (let at = 12; at < bytes.length; at += 4) bytes.set([0x81, 0x00], at);
  const parsed = parsePacket(bytes);
  expect(parsed.layers.length).toBe(16_001);
  expect(parsed.faults).toMatchObject([{ layer: "vlan", offset: bytes.length }]);
});
