// SPDX-License-Identifier: Apache-2.0

export { InvalidProgramError } from "./code/invalid-program-error.ts";
export type { ContextField, ContextLayout, PacketFields } from "./context/context-layout.ts";
export { contextLayout } from "./context/layout-for.ts";
export type { Helper, HelperFrame, HelperParameter, HelperResult } from "./helper/helper.ts";
export { FIRST_HOST_HELPER } from "./helper/helper.ts";
export type { HostHelper } from "./helper/helper-set.ts";
export type { TraceSink } from "./helper/print-helpers.ts";
export type { TaskInfo } from "./helper/task-helpers.ts";
export type { VmClock } from "./helper/time-helpers.ts";
export { VmMap } from "./map/vm-map.ts";
export { ADDRESS_BASE, VmMemory } from "./memory/vm-memory.ts";
export { PacketBatch } from "./run/packet-batch.ts";
export type { VmRunOptions, VmRunResult } from "./run/run-options.ts";
export { VmEngine, type VmEngineOptions } from "./vm-engine.ts";
export { VmFault, type VmFaultReason } from "./vm-fault.ts";
export { type LoadTimes, VmProgram } from "./vm-program.ts";
