// SPDX-License-Identifier: Apache-2.0

import { MapType, NotSupportedError, ProgramType } from "@skep/ebpf";
import { createMap } from "@skep/linux";
import type { FeatureSupport } from "./features/feature-support.ts";
import { haveKernelFeature, kernelFeatureSince } from "./features/kernel-features.ts";
import { haveMapType } from "./features/map-features.ts";
import { haveProgramType } from "./features/program-features.ts";
import { kernelBtf } from "./kernel-btf.ts";
import { mapTypeSince, newerThanKernel, programTypeSince } from "./minimum-version.ts";
import { type Finding, tryOut } from "./probe-result.ts";

const privilege = "run as root or with CAP_BPF and CAP_PERFMON";

/** What bpf(2) does when it is tried. */
export function bpfFindings(): Finding[] {
  const allowed = tryOut("bpf system call", createOne, privilege);
  const types = tryOut("kernel types", readTypes, "use a kernel built with CONFIG_DEBUG_INFO_BTF=y");
  if (allowed.state !== "yes") return [allowed, types];
  return [
    allowed,
    types,
    mapFinding("ring buffer", MapType.RINGBUF),
    mapFinding("perf event array", MapType.PERF_EVENT_ARRAY),
    finding("batch operations", haveKernelFeature("batch operations"), kernelFeatureSince("batch operations")),
    programFinding("tracepoint programs", ProgramType.TRACEPOINT),
    programFinding("raw tracepoint programs", ProgramType.RAW_TRACEPOINT),
    programFinding("tp_btf programs", ProgramType.TRACING),
    programFinding("perf event programs", ProgramType.PERF_EVENT),
    finding("perf links", haveKernelFeature("perf links"), kernelFeatureSince("perf links"), privilege),
  ];
}

function createOne(): string {
  createMap({ type: MapType.ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 }).close();
  return "a map was created";
}

function readTypes(): string {
  const btf = kernelBtf();
  if (btf === undefined) throw new NotSupportedError("/sys/kernel/btf/vmlinux");
  return `${btf.typeCount} types in /sys/kernel/btf/vmlinux`;
}

function mapFinding(name: string, type: MapType): Finding {
  return finding(name, haveMapType(type), mapTypeSince(type));
}

function programFinding(name: string, type: ProgramType): Finding {
  return finding(name, haveProgramType(type), programTypeSince(type), privilege);
}

function finding(name: string, support: FeatureSupport, since: string | undefined, remedy?: string): Finding {
  const { state } = support;
  if (state === "yes") return { name, state, detail: `since Linux ${since}` };
  if (state === "unknown") return { name, state, detail: support.reason, ...(remedy !== undefined && { remedy }) };
  const version = newerThanKernel(since);
  return {
    name,
    state,
    detail: version === undefined ? `not in this kernel's build: ${support.reason}` : `needs Linux ${version}`,
  };
}
