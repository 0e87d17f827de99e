// SPDX-License-Identifier: Apache-2.0

import { suiteObject } from "@skep/testbed";
import { engineCases, type Need, runCase } from "@skep/testbed/engine-suite";
import { describe, it } from "vitest";
import { KernelEngine } from "./kernel-engine.ts";

const lacks: ReadonlyMap<Need, string> = new Map([["v4", "instructions of version 4 need Linux 6.6"]]);

describe("the engine suite on the kernel", () => {
  it.for(engineCases.map((each) => [each.name, each] as const))("%s", async ([, suiteCase], ctx) => {
    const skipped = await runCase(suiteCase, { engine: new KernelEngine(), object: suiteObject }, lacks);
    if (skipped !== undefined) ctx.skip(skipped);
  });
});
