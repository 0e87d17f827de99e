// SPDX-License-Identifier: Apache-2.0

export { type BpfObjects, bpfObjects, newBpfObjects } from "./bpf-objects.ts";
export { caseSpec, type MapCase, mapCases, type RefusedMap, refusedMaps, runMapCase } from "./map-cases.ts";
export { type MapProgramRun, mapProgramRuns, runMapProgram } from "./map-programs.ts";
export { asUser, TEST_USER } from "./run-as.ts";
export { repository, SkepProcess, type SkepProcessOptions, SkepUp, skepArguments } from "./skep-process.ts";
export { suiteObject } from "./suite-object.ts";
export { TempFolder } from "./temp-folder.ts";
export { type UsdtLinkage, UsdtProcess, UsdtProgram } from "./usdt-program.ts";
export { waitUntil } from "./wait-until.ts";
