// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { internetChecksum } from "./internet-checksum.ts";
import { updateChecksum, updateChecksum32, updateChecksumBytes } from "./update-checksum.ts";

/** Bytes of a packet, which are never all zero. */
const packetBytes = fc
  .array(fc.integer({ min: 0, max: 255 }), { minLength: 10, maxLength: 40 })
  .map((bytes) => [0x45, ...bytes]);

test("the example of RFC 1624 4", () => {
  expect(updateChecksum(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
});

test("one word: as if summed anew", () => {
  fc.assert(
    fc.property(packetBytes, fc.nat(3), fc.nat(0xffff), (bytes, index, word) => {
      const view = new DataView(Uint8Array.from(bytes).buffer);
      const before = internetChecksum(new Uint8Array(view.buffer));
      const at = 2 + index * 2;
      const updated = updateChecksum(before, view.getUint16(at), word);
      view.setUint16(at, word);
      expect(updated).toBe(internetChecksum(new Uint8Array(view.buffer)));
    }),
  );
});

test("two words: as if summed anew", () => {
  fc.assert(
    fc.property(packetBytes, fc.nat(2), fc.nat(0xffffffff), (bytes, index, value) => {
      const view = new DataView(Uint8Array.from(bytes).buffer);
      const before = internetChecksum(new Uint8Array(view.buffer));
      const at = 2 + index * 2;
      const updated = updateChecksum32(before, view.getUint32(at), value);
      view.setUint32(at, value);
      expect(updated).toBe(internetChecksum(new Uint8Array(view.buffer)));
    }),
  );
});

test("a run of bytes for another of any even length: as if summed anew", () => {
  const run = fc
    .array(fc.tuple(fc.nat(255), fc.nat(255)), { maxLength: 10 })
    .map((pairs) => Uint8Array.from(pairs.flat()));
  fc.assert(
    fc.property(packetBytes, run, run, (tail, from, to) => {
      const before = internetChecksum(Uint8Array.from([...from, ...tail]));
      expect(updateChecksumBytes(before, from, to)).toBe(internetChecksum(Uint8Array.from([...to, ...tail])));
    }),
  );
});
