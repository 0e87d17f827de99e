// SPDX-License-Identifier: Apache-2.0

import { suiteObject } from "@skep/testbed";
import { engineCases, runCase } from "@skep/testbed/engine-suite";
import { describe, it } from "vitest";
import { VmEngine } from "./vm-engine.ts";
import type { VmEngineOptions } from "./vm-engine-options.ts";

const memory = 16 << 20;
const engines: readonly (readonly [string, VmEngineOptions])[] = [
  ["64-bit memory", { addressBits: 64 }],
  ["32-bit memory", { addressBits: 32 }],
  ["64-bit memory, no regions, no fuel", { addressBits: 64, regions: false, fuel: false }],
  ["32-bit memory, no regions, no fuel", { addressBits: 32, regions: false, fuel: false }],
];

describe.each(engines)("the engine suite on vm with %s", (_, options) => {
  it.for(engineCases.map((each) => [each.name, each] as const))("%s", async ([, suiteCase], ctx) => {
    const skipped = await runCase(suiteCase, { engine: new VmEngine({ ...options, memory }), object: suiteObject });
    if (skipped !== undefined) ctx.skip(skipped);
  });
});
