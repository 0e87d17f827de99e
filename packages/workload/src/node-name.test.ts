// SPDX-License-Identifier: Apache-2.0

import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { nodeName } from "./node-name.ts";

describe("nodeName", () => {
  it("prefers SKEP_NODE to the host name", () => {
    expect(nodeName({ SKEP_NODE: "worker-3.ams" })).toBe("worker-3.ams");
    expect(nodeName({ SKEP_NODE: "" })).toBe(hostname());
    expect(nodeName({})).toBe(hostname());
  });

  it("refuses what is no name", () => {
    expect(() => nodeName({ SKEP_NODE: "a b" })).toThrow(
      'SKEP_NODE is "a b", wanted a name of at most 253 characters without spaces',
    );
    expect(() => nodeName({ SKEP_NODE: "a\u001b[2J" })).toThrow("SKEP_NODE");
    expect(() => nodeName({ SKEP_NODE: "a".repeat(254) })).toThrow("SKEP_NODE");
  });
});
