// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { foldSum, internetChecksum, sumWords } from "./internet-checksum.ts";

/** As RFC 1071 says it, with integers of any size. */
function plainSum(bytes: Uint8Array): number {
  let sum = 0n;
  for (const [index, byte] of bytes.entries()) sum += BigInt(index % 2 === 0 ? byte << 8 : byte);
  while (sum > 0xffffn) sum = (sum & 0xffffn) + (sum >> 16n);
  return Number(sum);
}

test("the sum of RFC 1071 3", () => {
  expect(sumWords(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(0xddf2);
});

test("a header of the wild", () => {
  const header = Buffer.from("450000730000400040110000c0a80001c0a800c7", "hex");
  expect(internetChecksum(header)).toBe(0xb861);
  header.writeUInt16BE(0xb861, 10);
  expect(internetChecksum(header)).toBe(0);
});

test("short and long runs sum alike, from any offset to any end", () => {
  const size = fc.oneof(fc.nat(64), fc.integer({ min: 500, max: 530 }), fc.nat(3000));
  fc.assert(
    fc.property(size, fc.nat(7), fc.nat(), fc.boolean(), (length, start, seed, full) => {
      const bytes = Uint8Array.from({ length: start + length + 3 }, (_, at) =>
        full ? 0xff : (Math.imul(at + 1, seed | 1) >>> 11) & 0xff,
      );
      const inner = bytes.subarray(1);
      expect(sumWords(inner, start, start + length)).toBe(plainSum(inner.subarray(start, start + length)));
    }),
    { numRuns: 300 },
  );
});

test("16 MiB and more of ones do not lose a carry", () => {
  const bytes = new Uint8Array(0x100_0000 + 4096).fill(0xff);
  bytes[0] = 0x12;
  bytes[0x100_0000] = 0x34;
  // Words of 0xffff are nothing in ones' complement.
  expect(sumWords(bytes)).toBe(foldSum(0x12ff + 0x34ff));
});
