// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { parseObject } from "@skep/ebpf";
import { mapProgramRuns, runMapProgram } from "@skep/testbed";
import { describe, expect, it } from "vitest";
import { VmEngine } from "../vm-engine.ts";

const spec = parseObject(readFileSync(new URL("../../test-objects/map-programs.bpf.o", import.meta.url)));

describe.each([
  ["64-bit addresses and regions", { addressBits: 64, regions: true }],
  ["64-bit addresses without regions", { addressBits: 64, regions: false }],
  ["32-bit addresses and regions", { addressBits: 32, regions: true }],
  ["32-bit addresses without regions", { addressBits: 32, regions: false }],
] as const)("programs that use maps with %s", (_, options) => {
  it.each(Object.keys(mapProgramRuns))("%s does what it does on the kernel", (name) => {
    using engine = new VmEngine({ memory: 16 << 20, ...options });
    expect(runMapProgram(engine, spec, name)).toEqual(mapProgramRuns[name]);
  });
});
