// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatMac, macBytes, parseMac } from "./mac-address.ts";

test("an address is the same after it was written and read", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
      const text = formatMac(bytes);
      expect(parseMac(text)).toEqual(bytes);
      expect(parseMac(text.replaceAll(":", "-").toUpperCase())).toEqual(bytes);
    }),
  );
});

test.each(["", "02:00:00:00:00", "02:00:00:00:00:01:02", "2:0:0:0:0:1", "02-00:00:00:00:01", "0g:00:00:00:00:01"])(
  "%j is refused",
  (text) => {
    expect(() => parseMac(text)).toThrow("is no MAC address");
  },
);

test("bytes of other lengths are no address", () => {
  expect(() => macBytes(new Uint8Array(5))).toThrow("6 bytes, not 5");
});
