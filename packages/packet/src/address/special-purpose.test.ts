// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { addressClass, specialPurpose } from "./special-purpose.ts";

test.each([
  ["0.0.0.0", "unspecified"],
  ["0.1.2.3", "this-network"],
  ["9.255.255.255", "global"],
  ["10.255.255.255", "private"],
  ["100.63.255.255", "global"],
  ["100.127.255.255", "shared"],
  ["127.0.0.53", "loopback"],
  ["169.254.169.254", "link-local"],
  ["172.15.255.255", "global"],
  ["172.31.0.1", "private"],
  ["192.0.0.8", "protocol"],
  ["192.0.2.1", "documentation"],
  ["192.168.1.1", "private"],
  ["198.19.0.1", "benchmarking"],
  ["198.51.100.1", "documentation"],
  ["203.0.113.1", "documentation"],
  ["224.0.0.1", "multicast"],
  ["239.1.1.1", "multicast"],
  ["240.0.0.1", "reserved"],
  ["255.255.255.255", "broadcast"],
  ["8.8.8.8", "global"],
  ["::", "unspecified"],
  ["::1", "loopback"],
  ["::2", "global"],
  ["::ffff:10.0.0.1", "ipv4-mapped"],
  ["64:ff9b::1", "translation"],
  ["100::1", "discard"],
  ["2001::1", "protocol"],
  ["2001:2::1", "benchmarking"],
  ["2001:db8::1", "documentation"],
  ["2002::1", "protocol"],
  ["3fff:fff::1", "documentation"],
  ["fd00::1", "private"],
  ["fe80::1", "link-local"],
  ["ff02::1", "multicast"],
  ["2a00:1450::1", "global"],
])("%s is %s", (address, kind) => {
  expect(addressClass(address)).toBe(kind);
});

test("the smallest block that holds an address tells about it", () => {
  expect(specialPurpose("192.0.0.9")).toMatchObject({ name: "Port Control Protocol Anycast", globallyReachable: true });
  expect(specialPurpose("192.0.0.200")).toMatchObject({ reference: "RFC 6890", globallyReachable: false });
  expect(specialPurpose("10.1.2.3")).toMatchObject({
    reference: "RFC 1918",
    source: true,
    forwardable: true,
    globallyReachable: false,
  });
  expect(specialPurpose("169.254.1.1")).toMatchObject({ source: true, destination: true, forwardable: false });
  expect(specialPurpose("1.1.1.1")).toBeUndefined();
});
