// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import { type CapabilityName, processCapabilities } from "@skep/linux";

/**
 * Says which of some capabilities this process lacks, for the detail of an EPERM; undefined when it has what was asked for
 * (the cause is another one then). CAP_SYS_ADMIN stands for the two others, as before Linux 5.8.
 */
export function missingCapability(...wanted: readonly CapabilityName[]): string | undefined {
  const held = processCapabilities();
  const lacking = wanted.filter((name) => !held.has(name));
  if (lacking.length === 0 || held.has("CAP_SYS_ADMIN")) return undefined;
  if (lacking.length === 1) return `this process has neither ${lacking[0]} nor CAP_SYS_ADMIN`;
  return `this process has none of ${lacking.join(", ")} and CAP_SYS_ADMIN`;
}

/** What programs of a type take beside CAP_BPF (kernel/bpf/syscall.c: is_net_admin_prog_type, is_perfmon_prog_type). */
export function programCapabilities(type: ProgramType): CapabilityName[] {
  return [
    ...(networkTypes.has(type) ? (["CAP_NET_ADMIN"] as const) : []),
    ...(observerTypes.has(type) ? (["CAP_PERFMON"] as const) : []),
  ];
}

const networkTypes: ReadonlySet<ProgramType> = new Set([
  ProgramType.SCHED_CLS,
  ProgramType.SCHED_ACT,
  ProgramType.XDP,
  ProgramType.CGROUP_SOCK,
  ProgramType.LWT_IN,
  ProgramType.LWT_OUT,
  ProgramType.LWT_XMIT,
  ProgramType.LWT_SEG6LOCAL,
  ProgramType.SOCK_OPS,
  ProgramType.SK_SKB,
  ProgramType.SK_MSG,
  ProgramType.CGROUP_DEVICE,
  ProgramType.CGROUP_SOCK_ADDR,
  ProgramType.CGROUP_SYSCTL,
  ProgramType.CGROUP_SOCKOPT,
  ProgramType.FLOW_DISSECTOR,
  ProgramType.EXT,
  ProgramType.NETFILTER,
]);

const observerTypes: ReadonlySet<ProgramType> = new Set([
  ProgramType.KPROBE,
  ProgramType.TRACEPOINT,
  ProgramType.PERF_EVENT,
  ProgramType.RAW_TRACEPOINT,
  ProgramType.RAW_TRACEPOINT_WRITABLE,
  ProgramType.TRACING,
  ProgramType.STRUCT_OPS,
  ProgramType.EXT,
  ProgramType.LSM,
]);
