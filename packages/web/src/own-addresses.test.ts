// SPDX-License-Identifier: Apache-2.0

import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { isOwnAddress, isWildcard, loopbackOf, reachableAddress } from "./own-addresses.ts";

function address(text: string, internal = false): NetworkInterfaceInfo {
  const rest = { netmask: "", mac: "", internal, cidr: null };
  return text.includes(":")
    ? { address: text, family: "IPv6", scopeid: 0, ...rest }
    : { address: text, family: "IPv4", ...rest };
}

describe("a wildcard address", () => {
  it("is known however it is written", () => {
    for (const host of ["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "::0"])
      expect([host, isWildcard(host)]).toEqual([host, true]);
    for (const host of ["127.0.0.1", "::1", "10.0.0.0", "fe80::", "example.org", "localhost"]) {
      expect([host, isWildcard(host)]).toEqual([host, false]);
    }
  });

  it("is reached on this machine by loopback of its family", () => {
    expect([loopbackOf("0.0.0.0"), loopbackOf("::")]).toEqual(["127.0.0.1", "::1"]);
  });

  it("is reached by others through an address that leaves the machine and the link, IPv4 first", () => {
    const all = ["127.0.0.1", "fe80::1", "2001:db8::7", "169.254.3.4", "192.0.2.9"].map((text) =>
      address(text, text === "127.0.0.1"),
    );
    expect(reachableAddress("0.0.0.0", all)).toBe("192.0.2.9");
    expect(reachableAddress("::", all)).toBe("192.0.2.9");
    expect(reachableAddress("::", all.slice(0, 4))).toBe("2001:db8::7");
    expect(reachableAddress("0.0.0.0", all.slice(0, 4))).toBe("127.0.0.1");
    expect(reachableAddress("::", [])).toBe("::1");
  });
});

describe("isOwnAddress", () => {
  it("tells the machine's addresses from those of others", () => {
    expect(isOwnAddress("127.0.0.1")).toBe(true);
    expect(isOwnAddress("192.0.2.1")).toBe(false);
  });
});
