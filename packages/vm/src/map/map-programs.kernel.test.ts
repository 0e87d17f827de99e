// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { parseObject } from "@skep/ebpf";
import { KernelEngine } from "@skep/kernel";
import { mapProgramRuns, runMapProgram } from "@skep/testbed";
import { expect, it } from "vitest";

const object = new URL("../../test-objects/map-programs.bpf.o", import.meta.url);

// The same programs as the vm's, so that its expectations are the kernel's.
it.each(Object.keys(mapProgramRuns))("program %s uses maps as expected", (name) => {
  using engine = new KernelEngine();
  expect(runMapProgram(engine, parseObject(readFileSync(object)), name)).toEqual(mapProgramRuns[name]);
});
