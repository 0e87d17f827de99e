// SPDX-License-Identifier: Apache-2.0

import { isIP, SocketAddress } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIp, parseIp } from "./ip-text.ts";

/** Addresses with many zero bytes, where the rules of RFC 5952 matter. */
const sparse = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .chain((bytes) =>
    fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .map((mask) => bytes.map((byte, at) => ((mask[at] ?? 0) < 150 ? 0 : byte))),
  );

describe("formatIp", () => {
  it("writes IPv6 as a URL does", () => {
    fc.assert(
      fc.property(sparse, (bytes) => {
        fc.pre(!isMapped(bytes));
        const text = formatIp(bytes) ?? "";
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      }),
    );
  });

  it("writes what node:net reads as the same address", () => {
    fc.assert(
      fc.property(fc.oneof(sparse, fc.uint8Array({ minLength: 4, maxLength: 4 })), (bytes) => {
        const text = formatIp(bytes) ?? "";
        const family = bytes.length === 4 ? "ipv4" : "ipv6";
        expect(isIP(text)).toBe(bytes.length === 4 ? 4 : 6);
        // It writes the deprecated IPv4-compatible addresses, ::a.b.c.d, in the old way.
        const isCompatible = bytes.length === 16 && bytes.subarray(0, 12).every((byte) => byte === 0);
        if (!isCompatible) expect(new SocketAddress({ address: text, family }).address).toBe(text);
        expect(parseIp(text)).toEqual(bytes);
      }),
    );
  });

  it.each([
    ["::", new Uint8Array(16)],
    ["::1", Uint8Array.from([...new Array(15).fill(0), 1])],
    ["::ffff:10.0.0.1", Uint8Array.from([...new Array(10).fill(0), 255, 255, 10, 0, 0, 1])],
    ["2001:db8:0:1:1:1:1:1", Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1])],
    ["2001:0:0:1::1", Uint8Array.from([0x20, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1])],
    ["1::4:0:0:7:8", Uint8Array.from([0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 7, 0, 8])],
  ])("writes %s", (text, bytes) => {
    expect(formatIp(bytes)).toBe(text);
    expect(parseIp(text)).toEqual(bytes);
  });

  it("has nothing to say about other lengths", () => {
    expect(formatIp(new Uint8Array(5))).toBeUndefined();
    expect(formatIp(new Uint8Array(0))).toBeUndefined();
  });

  it("reads a part of a larger array", () => {
    expect(formatIp(Uint8Array.of(9, 9, 127, 0, 0, 1, 9), 2, 6)).toBe("127.0.0.1");
  });
});

describe("parseIp", () => {
  it.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    ":::",
    "1::2::3",
    "::12345",
    "fe80::1%eth0",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "::1/64",
    "1:2:3:4:5:6:7::8",
    "1.2.3.4::",
    "x",
  ])("refuses %j", (text) => expect(parseIp(text)).toBeUndefined());

  it("accepts what node:net accepts, apart from zones", () => {
    const piece = fc.constantFrom("::", ":", "0", "1", "ffff", "10", ".", "1.2.3.4", "abcd", "00001");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        expect(parseIp(text) !== undefined).toBe(isIP(text) !== 0);
      }),
      { numRuns: 2000 },
    );
  });
});

function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
}
