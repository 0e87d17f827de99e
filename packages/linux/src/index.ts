// SPDX-License-Identifier: Apache-2.0

/**
 * Linux system calls from Node, on x86-64 and arm64. Nothing is loaded until the first call; `isSupported` tells
 * whether calls can be made here. Calls that do not block are synchronous, only waiting is async.
 *
 * @module linux
 */
export { AttrBuffer } from "./attr-buffer.ts";
export { bpf, bpfError, bpfResult } from "./bpf.ts";
export { type AttachOptions, attachToTarget, detachFromTarget } from "./bpf-attach-calls.ts";
export { loadBtf } from "./bpf-btf-calls.ts";
export { BpfCommand, bpfCommandName } from "./bpf-command.ts";
export {
  BPF_PERF_EVENT,
  createIterator,
  createLink,
  detachLink,
  type LinkCreateOptions,
  openRawTracepoint,
  updateLink,
} from "./bpf-link-calls.ts";
export { createMap, freezeMap, MapBatchCalls, type MapCreateOptions, MapElementCalls } from "./bpf-map-calls.ts";
export { type BpfObjectKind, bpfObjectIds, bpfObjectInfo, openBpfObject } from "./bpf-object-calls.ts";
export { bpfObjectKind, openPinnedBpfObject, type PinAccess, pinBpfObject } from "./bpf-pin-calls.ts";
export {
  bindMapToProgram,
  loadProgram,
  type ProgramLoadOptions,
  type ProgramLoadResult,
  type RunOptions,
  type RunResult,
  runProgram,
  type VerifierLogBuffer,
} from "./bpf-program-calls.ts";
export { type QueryOptions, type QueryResult, queryPrograms } from "./bpf-query-call.ts";
export { BPF_F_TOKEN_FD, createBpfToken } from "./bpf-token-call.ts";
export { clockOffset, monotonicTime } from "./clock.ts";
export { ClosedError } from "./closed-error.ts";
export { onlineCpus, parseCpuList, possibleCpus } from "./cpus.ts";
export { detachedMount } from "./detached-mount.ts";
export { elfSection } from "./elf-section.ts";
export { Epoll } from "./epoll.ts";
export { errnoName, errnoNumber, errnoText } from "./errno.ts";
export { EventDescriptor } from "./event-descriptor.ts";
export { type ExecutableSymbol, executableSymbols } from "./executable-symbols.ts";
export { isSupported, unsupportedReason } from "./ffi.ts";
export { FileDescriptor } from "./file-descriptor.ts";
export { findExecutable } from "./find-executable.ts";
export { interfaceIndex } from "./interface-index.ts";
export type {
  IteratorDetail,
  KprobeMultiDetail,
  LinkDetail,
  NetfilterDetail,
  OrderDetail,
  UprobeMultiDetail,
} from "./link-detail.ts";
export { MappedMemory, type MappedMemoryOptions } from "./mapped-memory.ts";
export { addressOf, LastAddress } from "./memory-address.ts";
export { type MemoryLockLimit, memoryLockLimit, NO_LIMIT, setMemoryLockLimit } from "./memory-lock-limit.ts";
export { type NetworkInterface, networkInterfaces } from "./network-interfaces.ts";
export { inNetworkNamespace } from "./network-namespace.ts";
export { openProcess } from "./open-process.ts";
export {
  type Breakpoint,
  enablePerfEvent,
  openPerfEvent,
  type PerfEventOptions,
  PerfType,
  pausePerfOutput,
  setPerfEventProgram,
} from "./perf-event.ts";
export { Poller, type PollerOptions } from "./poller.ts";
export { hasProbeEvents, openProbeEvent, type ProbeEventOptions } from "./probe-event.ts";
export {
  type CapabilityName,
  effectiveUserId,
  parseCapabilities,
  processCapabilities,
} from "./process-capabilities.ts";
export { attachReuseport, attachSocketFilter, detachReuseport, detachSocketFilter } from "./socket-filter.ts";
export { kernelRelease, kernelVersion, pageSize } from "./system.ts";
export { type SystemCallName, systemCall, systemCallNumber } from "./system-call.ts";
export { isSystemCallError, SystemCallError, type SystemCallFailure } from "./system-call-error.ts";
export { addTcFilter, ensureClsact, removeTcFilter, type TcFilter } from "./tc-filter.ts";
export { type ListedTcFilter, tcFilters } from "./tc-filter-list.ts";
export { symbolAddresses, type UsdtSite, usdtSites } from "./usdt-probes.ts";
