// SPDX-License-Identifier: Apache-2.0

export { InvalidProgramError } from "./code/invalid-program-error.ts";
export {
  type ContextBytes,
  type ContextField,
  type ContextLayout,
  type ContextPointer,
  mayTouchContext,
  type PacketFields,
} from "./context/context-layout.ts";
export type { ContextValue, ContextValues } from "./context/context-values.ts";
export { contextLayout } from "./context/layout-for.ts";
export {
  PLUGIN_PROGRAM_TYPE,
  type PluginField,
  type PluginStruct,
  pluginContext,
} from "./context/plugin-context.ts";
export type { Helper, HelperFrame, HelperParameter, HelperResult } from "./helper/helper.ts";
export { FIRST_HOST_HELPER } from "./helper/helper.ts";
export type { HostHelper } from "./helper/helper-set.ts";
export { type FibAnswer, type FibQuery, fibOf, type Route } from "./helper/packet/fib.ts";
export type { VmNetwork } from "./helper/packet/packet-world.ts";
export { SocketTable, type SocketTuple } from "./helper/packet/socket-table.ts";
export { SocketState, VirtualSocket, type VirtualSocketOptions } from "./helper/packet/virtual-socket.ts";
export type { TraceSink } from "./helper/print-helpers.ts";
export type { TaskInfo } from "./helper/task-helpers.ts";
export type { VmClock } from "./helper/time-helpers.ts";
export { MapError } from "./map/map-error.ts";
export type { Holdable } from "./map/map-space.ts";
export type { AddressedObject, TableEntry } from "./map/references.ts";
export type { SharedMap } from "./map/shared-map.ts";
export { VmMap } from "./map/vm-map.ts";
export { ADDRESS_BASE, type MemoryPart, VmMemory } from "./memory/vm-memory.ts";
export { PacketBatch } from "./run/packet-batch.ts";
export { namedContext, rawRunOptions } from "./run/raw-run-options.ts";
export type { CloneRecord, RedirectRecord } from "./run/redirect-record.ts";
export type { MessageState, TunnelState } from "./run/run-extras.ts";
export type { VmRunOptions, VmRunResult } from "./run/run-options.ts";
export { VmEngine } from "./vm-engine.ts";
export type { EngineShape, VmEngineHandle } from "./vm-engine-handle.ts";
export type { VmEngineOptions, VmThreadOptions } from "./vm-engine-options.ts";
export { VmFault, type VmFaultOptions, type VmFaultPlace, type VmFaultReason } from "./vm-fault.ts";
export { type LoadTimes, VmProgram } from "./vm-program.ts";
