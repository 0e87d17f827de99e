// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { capturedPackets, chunksOf, collect } from "./capture-samples.test-kit.ts";
import { PcapWriter, writePcap } from "./pcap-writer.ts";
import { parseCapture, readCapture } from "./read-capture.ts";

const options = fc.record({
  byteOrder: fc.constantFrom("little", "big"),
  resolution: fc.constantFrom("microseconds", "nanoseconds"),
  linkType: fc.nat(0xffff),
});

test("what is written is read, in both byte orders and resolutions", () => {
  fc.assert(
    fc.property(capturedPackets, options, (packets, choice) => {
      const typed = packets.map((packet) => ({ ...packet, linkType: choice.linkType }));
      const unit = choice.resolution === "microseconds" ? 1000 : 1;
      const expected = typed.map((packet) => ({
        ...packet,
        nanoseconds: packet.nanoseconds - (packet.nanoseconds % unit),
      }));
      expect([...parseCapture(writePcap(typed, choice))]).toEqual(expected);
    }),
  );
});

test("chunks of any size give the same packets", async () => {
  const sizes = fc.array(fc.nat(50), { minLength: 1, maxLength: 5 }).filter((list) => list.some((size) => size > 0));
  await fc.assert(
    fc.asyncProperty(capturedPackets, sizes, async (packets, list) => {
      const chunks = chunksOf(writePcap(packets), list);
      expect(await collect(readCapture(chunks))).toEqual(packets);
    }),
  );
});

/** Two packets as tshark 4.0.17 reads them: big-endian, microseconds, snaplen 64, link type RAW. */
const BIG_ENDIAN =
  "a1b2c3d4000200040000000000000000000000400000006565535f000001e240000000030000004045000065535f01000000000000000000000000";

test("a file byte by byte", () => {
  expect([...parseCapture(Buffer.from(BIG_ENDIAN, "hex"))]).toEqual([
    { bytes: Buffer.of(0x45, 0, 0), originalLength: 64, linkType: 101, seconds: 1699962624, nanoseconds: 123456000 },
    { bytes: Buffer.of(), originalLength: 0, linkType: 101, seconds: 1699962625, nanoseconds: 0 },
  ]);
  const packets = [
    { bytes: Uint8Array.of(0x45, 0, 0), originalLength: 64, seconds: 1699962624, nanoseconds: 123456999 },
    { bytes: new Uint8Array(), seconds: 1699962625 },
  ];
  const written = writePcap(packets, { byteOrder: "big", resolution: "microseconds", snaplen: 64, linkType: 101 });
  expect(Buffer.from(written).toString("hex")).toBe(BIG_ENDIAN);
});

test("a packet longer than the snaplen is cut and keeps its length", () => {
  const [packet] = parseCapture(writePcap([{ bytes: Uint8Array.of(1, 2, 3) }], { snaplen: 2 }));
  expect(packet).toMatchObject({ bytes: Uint8Array.of(1, 2), originalLength: 3 });
});

test("a second in the fraction, and an FCS length over the link type, are understood", () => {
  const bytes = writePcap([{ bytes: Uint8Array.of(1), seconds: 5 }], { resolution: "microseconds" });
  const view = new DataView(bytes.buffer);
  view.setUint32(20, 0x4400_0001, true);
  view.setUint32(28, 2_000_001, true);
  expect([...parseCapture(bytes)]).toMatchObject([{ linkType: 1, seconds: 7, nanoseconds: 1000 }]);
});

test.each([
  ["a length beyond any packet", 32, 262_145, 32, "a packet of 262145 bytes, 262144 are the most"],
  ["a length of all ones", 32, 0xffff_ffff, 32, "a packet of 4294967295 bytes"],
  ["a length beyond the file", 32, 10, 24, "the file ends within a record, of which 19 bytes are there"],
  ["another version", 4, 0x0003_0002, 4, "pcap version 2.3, only 2.4 is read"],
  ["another format", 0, 0xa1b2_cd34, 0, "begins with 0x34cdb2a1, which is neither pcap nor pcapng"],
])("%s is refused with its offset", (_, at, value, offset, message) => {
  const bytes = writePcap([{ bytes: Uint8Array.of(1, 2, 3) }]);
  new DataView(bytes.buffer).setUint32(at, value, true);
  expect(() => [...parseCapture(bytes)]).toThrow(expect.objectContaining({ name: "MalformedCaptureError", offset }));
  expect(() => [...parseCapture(bytes)]).toThrow(`capture at byte ${offset}: ${message}`);
});

test("a file cut anywhere gives its whole packets and then says so", () => {
  const bytes = writePcap([{ bytes: Uint8Array.of(1, 2) }, { bytes: Uint8Array.of(3) }]);
  for (let length = 0; length < bytes.length; length++) {
    const packets: number[] = [];
    const read = () => {
      for (const packet of parseCapture(bytes.subarray(0, length))) packets.push(packet.bytes.length);
    };
    // A file of whole records is whole.
    if (length === 24 || length === 42) expect(read).not.toThrow();
    else expect(read).toThrow(length === 0 ? "the file is empty" : "the file ends within a record");
    expect(packets).toEqual(length < 42 ? [] : [2]);
  }
});

test("what cannot be written is refused", () => {
  expect(() => new PcapWriter({ snaplen: 0 })).toThrow("snaplen is 0, wanted 1 to 262144");
  expect(() => new PcapWriter({ linkType: 0x10000 })).toThrow("linkType is 65536");
  const writer = new PcapWriter();
  const bytes = new Uint8Array();
  expect(() => writer.packet({ bytes, linkType: 101 })).toThrow("a packet of link type 101 in a file of 1");
  expect(() => writer.packet({ bytes, seconds: 2 ** 32 })).toThrow("seconds is 4294967296");
  expect(() => writer.packet({ bytes, seconds: -1 })).toThrow("seconds is -1");
  expect(() => writer.packet({ bytes, nanoseconds: 1e9 })).toThrow("nanoseconds is 1000000000");
});
