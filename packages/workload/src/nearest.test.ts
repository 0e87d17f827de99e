// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { nearest } from "./nearest.ts";

describe("nearest", () => {
  it("finds what was meant", () => {
    expect(nearest("mapp", ["name", "map", "maps"])).toBe("map");
    expect(nearest("collector", ["Collector", "Proxy"])).toBe("Collector");
    expect(nearest("fitler", ["filter", "file"])).toBe("filter");
  });

  it("is silent when nothing is near", () => {
    expect(nearest("zebra", ["map", "name"])).toBeUndefined();
    expect(nearest("x", [])).toBeUndefined();
    expect(nearest("ab", ["xy"])).toBeUndefined();
    expect(nearest("m".repeat(100), ["m".repeat(99)])).toBeUndefined();
  });
});
