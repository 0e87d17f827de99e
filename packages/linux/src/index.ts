// SPDX-License-Identifier: Apache-2.0

/**
 * Linux system calls from Node, on x86-64 and arm64. Nothing is loaded until the first call; `isSupported` tells
 * whether calls can be made here. Calls that do not block are synchronous, only waiting is async.
 *
 * @packageDocumentation
 */
export { AttrBuffer } from "./attr-buffer.ts";
export { bpf, bpfError, bpfResult } from "./bpf.ts";
export { loadBtf } from "./bpf-btf-calls.ts";
export { BpfCommand, bpfCommandName } from "./bpf-command.ts";
export { BPF_PERF_EVENT, createLink, type LinkCreateOptions, openRawTracepoint } from "./bpf-link-calls.ts";
export { createMap, freezeMap, MapBatchCalls, type MapCreateOptions, MapElementCalls } from "./bpf-map-calls.ts";
export { type BpfObjectKind, bpfObjectIds, bpfObjectInfo, openBpfObject } from "./bpf-object-calls.ts";
export {
  loadProgram,
  type ProgramLoadOptions,
  type ProgramLoadResult,
  type TestRunOptions,
  type TestRunResult,
  testRunProgram,
  type VerifierLogBuffer,
} from "./bpf-program-calls.ts";
export { clockOffset, monotonicTime } from "./clock.ts";
export { onlineCpus, parseCpuList, possibleCpus } from "./cpus.ts";
export { detachedMount } from "./detached-mount.ts";
export { Epoll } from "./epoll.ts";
export { errnoName, errnoNumber, errnoText } from "./errno.ts";
export { EventDescriptor } from "./event-descriptor.ts";
export { isSupported, unsupportedReason } from "./ffi.ts";
export { FileDescriptor } from "./file-descriptor.ts";
export { MappedMemory, type MappedMemoryOptions } from "./mapped-memory.ts";
export { addressOf, LastAddress } from "./memory-address.ts";
export { disablePerfEvent, enablePerfEvent, openPerfEvent, type PerfEventOptions, PerfType } from "./perf-event.ts";
export { Poller, type PollerOptions } from "./poller.ts";
export {
  type CapabilityName,
  effectiveUserId,
  parseCapabilities,
  processCapabilities,
} from "./process-capabilities.ts";
export { kernelRelease, kernelVersion, pageSize } from "./system.ts";
export { type SystemCallName, systemCall, systemCallNumber } from "./system-call.ts";
export { isSystemCallError, SystemCallError, type SystemCallFailure } from "./system-call-error.ts";
