// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { blockOf, capturedPackets, chunksOf, collect, numbers } from "./capture-samples.test-kit.ts";
import { joinBytes } from "./packet-record.ts";
import { pcapngTime, unitsOf } from "./pcapng-time.ts";
import { writePcapng } from "./pcapng-writer.ts";
import { parseCapture, readCapture } from "./read-capture.ts";

const section = (littleEndian = true) =>
  blockOf(
    0x0a0d0d0a,
    numbers(littleEndian, [4, 0x1a2b3c4d], [2, 1], [2, 0], [4, 0xffff_ffff], [4, 0xffff_ffff]),
    littleEndian,
  );

const description = (linkType: number, snaplen: number, options: Uint8Array = new Uint8Array(), littleEndian = true) =>
  blockOf(1, joinBytes([numbers(littleEndian, [2, linkType], [2, 0], [4, snaplen]), options]), littleEndian);

const enhanced = (id: number, high: number, low: number, bytes: Uint8Array, littleEndian = true) =>
  blockOf(
    6,
    joinBytes([numbers(littleEndian, [4, id], [4, high], [4, low], [4, bytes.length], [4, 99]), bytes]),
    littleEndian,
  );

const parse = (...blocks: Uint8Array[]) => [...parseCapture(joinBytes(blocks))];

test("what is written is read, of any link types, in chunks of any size", async () => {
  const types = fc.array(fc.constantFrom(1, 101, 276), { minLength: 8, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(capturedPackets, types, fc.integer({ min: 1, max: 70 }), async (packets, linkTypes, size) => {
      const typed = packets.map((packet, index) => ({ ...packet, linkType: linkTypes[index] ?? 1 }));
      expect(await collect(readCapture(chunksOf(writePcapng(typed), [size])))).toEqual(typed);
    }),
  );
});

test("sections of both byte orders, with interfaces of their own", () => {
  const packets = parse(
    section(),
    description(1, 0),
    enhanced(0, 0, 1_500_000, Uint8Array.of(1)),
    section(false),
    blockOf(0x0bad, new Uint8Array(5), false),
    description(101, 0, new Uint8Array(), false),
    description(276, 0, new Uint8Array(), false),
    enhanced(1, 0, 2_000_001, Uint8Array.of(2, 3), false),
  );
  expect(packets).toEqual([
    { bytes: Uint8Array.of(1), originalLength: 99, linkType: 1, seconds: 1, nanoseconds: 500_000_000 },
    { bytes: Uint8Array.of(2, 3), originalLength: 99, linkType: 276, seconds: 2, nanoseconds: 1000 },
  ]);
});

test("an interface's clock counts as its options say", () => {
  // if_name "eth0", if_tsresol 2^-10, if_tsoffset 1000.
  const options = Uint8Array.of(
    2,
    0,
    4,
    0,
    101,
    116,
    104,
    48,
    9,
    0,
    1,
    0,
    0x8a,
    0,
    0,
    0,
    14,
    0,
    8,
    0,
    0xe8,
    3,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
  );
  const packets = parse(section(), description(1, 0, options), enhanced(0, 0, 1024 * 7 + 512, new Uint8Array()));
  expect(packets).toMatchObject([{ seconds: 1007, nanoseconds: 500_000_000 }]);
});

test("options that only look like a clock's are left alone", () => {
  const odd = [
    numbers(true, [2, 14], [2, 4], [4, 9]),
    numbers(true, [2, 9], [2, 2], [4, 3]),
    numbers(true, [2, 10], [2, 1], [4, 3]),
  ];
  const wide = numbers(true, [2, 15], [2, 8], [4, 9], [4, 0]);
  const packets = parse(
    section(),
    description(1, 0, joinBytes([...odd, wide])),
    enhanced(0, 0, 2_000_000, new Uint8Array()),
  );
  expect(packets).toMatchObject([{ seconds: 2, nanoseconds: 0 }]);
});

test("simple packets are cut by the first interface's snaplen and have no time", () => {
  const simple = blockOf(3, joinBytes([numbers(true, [4, 7]), Uint8Array.of(1, 2, 3, 4)]));
  expect(parse(section(), description(101, 3), simple)).toEqual([
    { bytes: Uint8Array.of(1, 2, 3), originalLength: 7, linkType: 101, seconds: 0, nanoseconds: 0 },
  ]);
});

test("obsolete packet blocks are read", () => {
  const body = numbers(true, [2, 0], [2, 5], [4, 0], [4, 3_000_000], [4, 2], [4, 60], [2, 0x0201]);
  expect(parse(section(), description(1, 0), blockOf(2, body))).toEqual([
    { bytes: Uint8Array.of(1, 2), originalLength: 60, linkType: 1, seconds: 3, nanoseconds: 0 },
  ]);
});

test("time stamps of every resolution are exact", () => {
  fc.assert(
    fc.property(fc.nat(255), fc.nat(2 ** 32 - 1), fc.nat(2 ** 32 - 1), (resolution, high, low) => {
      const units = unitsOf(resolution);
      const stamp = (BigInt(high) << 32n) | BigInt(low);
      fc.pre(stamp / units <= BigInt(Number.MAX_SAFE_INTEGER));
      expect(pcapngTime({ units, offset: -77 }, high, low)).toEqual({
        seconds: Number(stamp / units) - 77,
        nanoseconds: Number(((stamp % units) * 1_000_000_000n) / units),
      });
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["no section's magic number", [blockOf(0x0a0d0d0a, new Uint8Array(16))], 8, "without the magic number"],
  [
    "another version",
    [blockOf(0x0a0d0d0a, numbers(true, [4, 0x1a2b3c4d], [2, 2], [2, 0], [4, 0], [4, 0]))],
    12,
    "pcapng version 2.0",
  ],
  ["a section header too short", [blockOf(0x0a0d0d0a, numbers(true, [4, 0x1a2b3c4d]))], 8, "16 bytes wanted"],
  [
    "a packet of no interface",
    [section(), enhanced(0, 0, 0, new Uint8Array())],
    36,
    "a packet of interface 0, the section has described 0",
  ],
  ["a simple packet of no interface", [section(), blockOf(3, new Uint8Array(4))], 36, "a packet of interface 0"],
  [
    "a packet longer than its block",
    [section(), description(1, 0), blockOf(6, numbers(true, [4, 0], [4, 0], [4, 0], [4, 5], [4, 5], [4, 0]))],
    68,
    "a packet of 5 bytes, at most 4 can be there",
  ],
  [
    "a simple packet longer than its block",
    [section(), description(1, 0), blockOf(3, numbers(true, [4, 9], [4, 0]))],
    56,
    "a packet of 9 bytes, at most 4 can be there",
  ],
  [
    "an option longer than its block",
    [section(), description(1, 0, numbers(true, [2, 9], [2, 1]))],
    48,
    "1 bytes wanted, block of type 1 has 0 left",
  ],
  ["an empty interface", [section(), blockOf(1, new Uint8Array())], 36, "8 bytes wanted"],
] as const)("%s is refused with its offset", (_, blocks, offset, message) => {
  expect(() => parse(...blocks)).toThrow(expect.objectContaining({ name: "MalformedCaptureError", offset }));
  expect(() => parse(...blocks)).toThrow(message);
});

test.each([
  [8, "a block of 8 bytes"],
  [13, "a block of 13 bytes"],
  [0xffff_fffc, "a block of 4294967292 bytes"],
  [24, "the block ends with length"],
])("a block that says it has %i bytes is refused", (length, message) => {
  const bytes = joinBytes([section(), description(1, 0, new Uint8Array(8))]);
  new DataView(bytes.buffer).setUint32(32, length, true);
  expect(() => [...parseCapture(bytes)]).toThrow(message);
});

test("the packets before a fault come first", () => {
  const seen: number[] = [];
  expect(() => {
    for (const packet of parseCapture(joinBytes([writePcapng([{ bytes: Uint8Array.of(7) }]), new Uint8Array(12)]))) {
      seen.push(packet.bytes.length);
    }
  }).toThrow("a block of 0 bytes");
  expect(seen).toEqual([1]);
});

test("interfaces without end are refused", () => {
  const one = description(1, 0);
  const many = new Uint8Array(one.length * 65_537);
  for (let at = 0; at < many.length; at += one.length) many.set(one, at);
  expect(() => parse(section(), many)).toThrow(
    `capture at byte ${28 + 65_536 * one.length}: more than 65536 interfaces`,
  );
});
