// SPDX-License-Identifier: Apache-2.0

import { AttachType, type MapSpec, MapType, NotSupportedError, type ProgramSpec, ProgramType } from "@skep/ebpf";
import { addressOf, BpfCommand, bpfError, errnoName, MapBatchCalls, pageSize } from "@skep/linux";
import { attachProgram } from "./attach-program.ts";
import { createKernelMap } from "./create-map.ts";
import { kernelBtf } from "./kernel-btf.ts";
import { KernelProgram } from "./kernel-program.ts";
import { loadKernelProgram } from "./load-program.ts";
import { type Finding, tryOut } from "./probe-result.ts";

/** r0 = 0; exit */
const returnZero = new Uint8Array([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
const privilege = "run as root or with CAP_BPF and CAP_PERFMON";

/** What bpf(2) does when it is tried. */
export function bpfFindings(): Finding[] {
  const allowed = tryOut("bpf system call", () => createAndClose(MapType.ARRAY, 4, 4, 1), privilege);
  const types = tryOut("kernel types", readTypes, "use a kernel built with CONFIG_DEBUG_INFO_BTF=y");
  if (allowed.state !== "yes") return [allowed, types];
  return [
    allowed,
    types,
    tryOut("ring buffer", () => createAndClose(MapType.RINGBUF, 0, 0, pageSize())),
    tryOut("perf event array", () => createAndClose(MapType.PERF_EVENT_ARRAY, 4, 4, 1)),
    tryOut("batch operations", batch),
    tryOut("tracepoint programs", () => loadAndClose(ProgramType.TRACEPOINT), privilege),
    tryOut("raw tracepoint programs", () => loadAndClose(ProgramType.RAW_TRACEPOINT), privilege),
    tryOut("tp_btf programs", () => loadAndClose(ProgramType.TRACING), privilege),
    tryOut("perf event programs", () => loadAndClose(ProgramType.PERF_EVENT), privilege),
    tryOut("perf links", linkToIdleEvent, privilege),
  ];
}

function readTypes(): string {
  const btf = kernelBtf();
  if (btf === undefined) throw new NotSupportedError("/sys/kernel/btf/vmlinux");
  return `${btf.typeCount} types in /sys/kernel/btf/vmlinux`;
}

function createAndClose(type: MapType, keySize: number, valueSize: number, maxEntries: number): string {
  createKernelMap(mapSpec(type, keySize, valueSize, maxEntries), undefined).close();
  return "a map was created";
}

function batch(): string {
  using fd = createKernelMap(mapSpec(MapType.ARRAY, 4, 8, 2), undefined);
  const calls = new MapBatchCalls(fd);
  const [position, keys, values] = [new Uint8Array(8), new Uint8Array(8), new Uint8Array(16)];
  const result = calls.lookup(0, addressOf(position), addressOf(keys), addressOf(values), 2);
  if (result < 0 && errnoName(-result) !== "ENOENT") throw bpfError(BpfCommand.MAP_LOOKUP_BATCH, -result, undefined);
  return `${calls.count} entries were read at once`;
}

function loadAndClose(type: ProgramType): string {
  load(type).close();
  return "a program was loaded";
}

function linkToIdleEvent(): string {
  using program = load(ProgramType.PERF_EVENT);
  // `dummy` counts nothing and so never runs the program.
  attachProgram(program, { perfEvent: { event: "software:dummy", period: 1 } }).close();
  return "a program was attached to an event that never fires";
}

function load(type: ProgramType): KernelProgram {
  const tracing = type === ProgramType.TRACING;
  const spec: ProgramSpec = {
    name: "skep_probe",
    section: "probe",
    type,
    expectedAttachType: tracing ? AttachType.TRACE_RAW_TP : 0,
    flags: 0,
    attachTo: tracing ? "sched_process_exec" : "",
    target: undefined,
    instructions: returnZero,
    mapReferences: [],
    coreRelocations: [],
    functionInfo: [],
    lineInfo: [],
    license: "Apache-2.0",
    kernelVersion: 0,
  };
  const fd = loadKernelProgram({ spec, instructions: returnZero, maps: new Map(), types: undefined });
  return new KernelProgram(spec, fd);
}

function mapSpec(type: MapType, keySize: number, valueSize: number, maxEntries: number): MapSpec {
  return {
    name: "skep_probe",
    type,
    keySize,
    valueSize,
    maxEntries,
    flags: 0,
    extra: 0n,
    pinning: "none",
    keyTypeId: 0,
    valueTypeId: 0,
  };
}
