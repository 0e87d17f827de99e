// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareIp, formatIp, ipBytes, parseIp, tryParseIp } from "./ip-address.ts";

const LENGTH_OF_VERSION = new Map([
  [4, 4],
  [6, 16],
]);

const bytesOf = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });

test("an address is the same after it was written and read", () => {
  fc.assert(
    fc.property(fc.oneof(bytesOf(4), bytesOf(16)), (bytes) => {
      expect(parseIp(formatIp(bytes))).toEqual(bytes);
    }),
  );
});

test("zeros are shortened as a browser shortens them", () => {
  const groups = fc.array(fc.constantFrom(0, 0, 0, 1, 0xab, 0xffff), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(groups, (words) => {
      const bytes = Uint8Array.from(words.flatMap((word) => [word >>> 8, word & 0xff]));
      // A mapped address ends in IPv4's form here, as RFC 5952 5 recommends, and not in a URL.
      fc.pre(!(words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff));
      const long = words.map((word) => word.toString(16)).join(":");
      expect(formatIp(bytes)).toBe(new URL(`http://[${long}]`).hostname.slice(1, -1));
    }),
  );
});

test.each([
  ["2001:0db8::0001", "2001:db8::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:DB8::ABCD", "2001:db8::abcd"],
  ["::192.0.2.1", "::c000:201"],
  ["0:0:0:0:0:ffff:c000:0201", "::ffff:192.0.2.1"],
  ["::", "::"],
  ["1::", "1::"],
  ["192.0.2.1", "192.0.2.1"],
])("%s is written %s", (text, written) => {
  expect(formatIp(parseIp(text))).toBe(written);
});

test("what is an address is what Node takes for one, but for zones", () => {
  const piece = fc.constantFrom(
    "",
    ":",
    "::",
    ".",
    "0",
    "00",
    "1",
    "255",
    "256",
    "01",
    "db8",
    "ffff",
    "10000",
    "g",
    " ",
    "1.2.3.4",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join("");
      expect([text, tryParseIp(text)?.length]).toEqual([text, LENGTH_OF_VERSION.get(isIP(text))]);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  "",
  "1.2.3",
  "1.2.3.4.5",
  "01.2.3.4",
  "1.2.3.256",
  "1.2.3.4 ",
  "fe80::1%eth0",
  "1::2::3",
  ":::",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7::8:9",
  "1.2.3.4::",
  "::1.2.3.4:5",
  "12345::",
])("%j is refused by name", (text) => {
  expect(() => parseIp(text)).toThrow(`"${text}" is no IP address`);
});

test("an error does not carry a long text on", () => {
  expect(() => parseIp("x".repeat(1e6))).toThrow(/^"x{60}\.\.\." is no IP address$/);
});

test("bytes of other lengths are no address", () => {
  expect(() => formatIp(new Uint8Array(5))).toThrow("4 or 16 bytes, not 5");
  expect(() => ipBytes(new Uint8Array(0))).toThrow("4 or 16 bytes, not 0");
});

test("addresses are in order, IPv4 first", () => {
  const sorted = ["2001:db8::2", "10.0.0.10", "::1", "10.0.0.9"].sort(compareIp);
  expect(sorted).toEqual(["10.0.0.9", "10.0.0.10", "::1", "2001:db8::2"]);
});
