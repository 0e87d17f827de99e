// SPDX-License-Identifier: Apache-2.0

import { caseSpec, mapCases, refusedMaps, runMapCase } from "@skep/testbed";
import { describe, expect, it } from "vitest";
import { VmEngine } from "../vm-engine.ts";

describe.each([
  ["64-bit addresses and regions", { addressBits: 64, regions: true }],
  ["32-bit addresses without regions", { addressBits: 32, regions: false }],
] as const)("maps of the vm with %s", (_, options) => {
  it.each(mapCases.map((each) => [each.name, each] as const))("%s", (_, each) => {
    using engine = new VmEngine({ memory: 8 << 20, ...options });
    const before = engine.memory.used;
    const map = engine.createMap(caseSpec(each.spec), undefined, undefined);
    expect(runMapCase(each, map)).toEqual([]);
    map.close();
    expect(engine.memory.used).toBe(before);
  });
});

describe("what is no map", () => {
  it.each(refusedMaps.map((each) => [each.name, each] as const))("%s", (_, { spec, error }) => {
    using engine = new VmEngine({ memory: 8 << 20 });
    const before = engine.memory.used;
    expect(() => engine.createMap(caseSpec(spec), undefined, undefined)).toThrow(
      `map "test": creating it failed: ${error}`,
    );
    expect(engine.memory.used).toBe(before);
  });
});
