// SPDX-License-Identifier: Apache-2.0

/** Program types, by the names and numbers of `enum bpf_prog_type` (include/uapi/linux/bpf.h). */
export const ProgramType = {
  SOCKET_FILTER: 1,
  KPROBE: 2,
  SCHED_CLS: 3,
  SCHED_ACT: 4,
  TRACEPOINT: 5,
  XDP: 6,
  PERF_EVENT: 7,
  CGROUP_SKB: 8,
  CGROUP_SOCK: 9,
  LWT_IN: 10,
  LWT_OUT: 11,
  LWT_XMIT: 12,
  SOCK_OPS: 13,
  SK_SKB: 14,
  CGROUP_DEVICE: 15,
  SK_MSG: 16,
  RAW_TRACEPOINT: 17,
  CGROUP_SOCK_ADDR: 18,
  LWT_SEG6LOCAL: 19,
  LIRC_MODE2: 20,
  SK_REUSEPORT: 21,
  FLOW_DISSECTOR: 22,
  CGROUP_SYSCTL: 23,
  RAW_TRACEPOINT_WRITABLE: 24,
  CGROUP_SOCKOPT: 25,
  TRACING: 26,
  STRUCT_OPS: 27,
  EXT: 28,
  LSM: 29,
  SK_LOOKUP: 30,
  SYSCALL: 31,
  NETFILTER: 32,
} as const;

/** The number of a program type; see {@link ProgramType}. */
export type ProgramType = number;

const names = new Map<number, string>(Object.entries(ProgramType).map(([name, value]) => [value, name.toLowerCase()]));

/** The type's name as bpftool prints it (`raw_tracepoint`), or `type 77` for a number without one. */
export function programTypeName(type: ProgramType): string {
  return names.get(type) ?? `type ${type}`;
}
