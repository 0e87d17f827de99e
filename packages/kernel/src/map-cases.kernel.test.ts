// SPDX-License-Identifier: Apache-2.0

import { caseSpec, mapCases, refusedMaps, runMapCase } from "@skep/testbed";
import { describe, expect, it } from "vitest";
import { KernelEngine } from "./kernel-engine.ts";

// The same cases as the vm's, so that its expectations are the kernel's.
describe("maps of the kernel", () => {
  it.each(mapCases.map((each) => [each.name, each] as const))("%s", (_, each) => {
    using engine = new KernelEngine();
    using map = engine.createMap(caseSpec(each.spec), undefined, undefined);
    expect(runMapCase(each, map)).toEqual([]);
  });

  it.each(refusedMaps.map((each) => [each.name, each] as const))("refuses %s", (_, { spec, error }) => {
    using engine = new KernelEngine();
    expect(() => engine.createMap(caseSpec(spec), undefined, undefined)).toThrow(error);
  });
});
