// SPDX-License-Identifier: Apache-2.0
import { BlockList } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatIp } from "./ip-address.ts";
import { Prefix } from "./prefix.ts";

/** Addresses that are often in each other's blocks. */
const address = fc
  .constantFrom(4, 16)
  .chain((size) => fc.array(fc.constantFrom(0, 0, 1, 128, 255), { minLength: size, maxLength: size }));
const prefix = address.chain((bytes) =>
  fc.nat(bytes.length * 8).map((length) => new Prefix(Uint8Array.from(bytes), length)),
);

test("a block holds what Node's BlockList says", () => {
  fc.assert(
    fc.property(prefix, address, (block, bytes) => {
      const other = Uint8Array.from(bytes);
      const list = new BlockList();
      list.addSubnet(formatIp(block.address), block.length, block.version === 4 ? "ipv4" : "ipv6");
      // A BlockList also matches IPv4 rules with mapped addresses; here those are IPv6.
      const expected =
        block.address.length === other.length && list.check(formatIp(other), other.length === 4 ? "ipv4" : "ipv6");
      expect(block.contains(other)).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

test("a block is the same after it was written and read", () => {
  fc.assert(
    fc.property(prefix, (block) => {
      expect(Prefix.parse(String(block)).equals(block)).toBe(true);
    }),
  );
});

test("a block goes from its address to its last, and holds its own parts", () => {
  fc.assert(
    fc.property(prefix, prefix, (block, other) => {
      expect(block.contains(block.address) && block.contains(block.last) && block.contains(block)).toBe(true);
      expect(block.contains(other)).toBe(block.length <= other.length && block.contains(other.address));
      expect(block.overlaps(other)).toBe(block.contains(other.address) || other.contains(block.address));
      expect(Math.sign(Prefix.compare(block, other))).toBe(-Math.sign(Prefix.compare(other, block)) + 0);
    }),
  );
});

test("mask and last address", () => {
  const block = new Prefix("172.16.77.1", 12);
  expect([String(block), formatIp(block.mask), formatIp(block.last)]).toEqual([
    "172.16.0.0/12",
    "255.240.0.0",
    "172.31.255.255",
  ]);
  expect(JSON.stringify({ block })).toBe('{"block":"172.16.0.0/12"}');
});

test("an address alone is a block of one", () => {
  expect(String(Prefix.parse("192.0.2.1"))).toBe("192.0.2.1/32");
  expect(String(Prefix.parse("2001:db8::1"))).toBe("2001:db8::1/128");
});

test("a block of IPv4 does not hold the same address mapped into IPv6", () => {
  expect(Prefix.parse("0.0.0.0/0").contains("::ffff:192.0.2.1")).toBe(false);
});

test("bits behind the prefix are refused with what was meant", () => {
  expect(() => Prefix.parse("10.0.0.1/8")).toThrow("did you mean 10.0.0.0/8?");
});

test.each(["", "/8", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/1e1", "10/8"])(
  "%j is refused",
  (text) => {
    expect(() => Prefix.parse(text)).toThrow("is no prefix");
  },
);

test("a length beyond the address is refused", () => {
  expect(() => Prefix.parse("10.0.0.0/33")).toThrow("length is 33, wanted 0 to 32");
  expect(() => new Prefix("::", 129)).toThrow("length is 129, wanted 0 to 128");
});

test("blocks are in order, the larger first", () => {
  const sorted = ["2001:db8::/32", "10.1.0.0/16", "10.0.0.0/16", "10.0.0.0/8"].map((text) => Prefix.parse(text));
  expect(sorted.sort(Prefix.compare).map(String)).toEqual([
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.1.0.0/16",
    "2001:db8::/32",
  ]);
});
