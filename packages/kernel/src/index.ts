// SPDX-License-Identifier: Apache-2.0

/**
 * The running Linux kernel as an eBPF engine: maps, programs, links and record readers over bpf(2).
 *
 * ```ts
 * using engine = new KernelEngine();
 * using app = load(parseObject(bytes), { engine });
 * using link = app.program("on_exec").attach();
 * for await (const batch of app.map("events").records()) { … }
 * ```
 *
 * @module kernel
 */
export { isSystemCallError, SystemCallError } from "@skep/linux";
export type { TokenSource } from "./bpf-token.ts";
export { type FeatureFinding, type FeatureKind, probeFeatures } from "./features/feature-report.ts";
export type { FeatureSupport } from "./features/feature-support.ts";
export { haveProgramHelper } from "./features/helper-features.ts";
export { haveKernelFeature, type KernelFeatureName, kernelFeatureNames } from "./features/kernel-features.ts";
export { haveMapFlag, haveMapType, type MapFlagName, mapFlagNames } from "./features/map-features.ts";
export { haveProgramType } from "./features/program-features.ts";
export { KernelEngine, type KernelEngineOptions } from "./kernel-engine.ts";
export { KernelIterator } from "./kernel-iterator.ts";
export { KernelLink } from "./kernel-link.ts";
export { KernelMap } from "./kernel-map.ts";
export { KernelProgram } from "./kernel-program.ts";
export { listLinks, listMaps, listPrograms } from "./list-objects.ts";
export { type MapInfo, readLoadedBtf } from "./map-info.ts";
export { removeMemoryLimit } from "./memory-limit.ts";
export { type NetworkAttachment, networkAttachments } from "./network-attachments.ts";
export { type ObjectHolder, ObjectHolders } from "./object-holders.ts";
export { adoptLink, linkIds, OpenedLink, openLink, openPinnedLink } from "./open-link.ts";
export {
  adoptMap,
  mapIds,
  type OpenMapOptions,
  type OpenPinnedMapOptions,
  openMap,
  openPinnedMap,
} from "./open-map.ts";
export { listPins, type Pin } from "./open-pin.ts";
export { adoptProgram, enableProgramStats, openPinnedProgram, openProgram, programIds } from "./open-program.ts";
export { unpin } from "./pin.ts";
export { type KernelReport, probeKernel } from "./probe-kernel.ts";
export type { Finding } from "./probe-result.ts";
export type { JitedFunction, ProgramCode } from "./program-code.ts";
export type { ProgramInfo, ProgramStats } from "./program-info.ts";
export type { LoadedInstruction } from "./program-instructions.ts";
export {
  type AttachedProgram,
  type AttachedPrograms,
  type AttachPlace,
  queryAttached,
} from "./query-attached.ts";
export { TraceInstance } from "./trace-instance.ts";
export { traceLog } from "./trace-log.ts";
export type { UserRingSlot, UserRingWriter } from "./user-ring-writer.ts";
export { type Obstacle, whyNotObserve } from "./why-not-observe.ts";
