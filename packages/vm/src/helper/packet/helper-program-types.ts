// SPDX-License-Identifier: Apache-2.0

import { helperName, ProgramType, programTypeName } from "@skep/ebpf";
import { PLUGIN_PROGRAM_TYPE } from "../../context/plugin-context.ts";

/** The one of them that needs no context, so that plugins may call it too. */
const CSUM_DIFF = 28;
const T = ProgramType;
const tc = [T.SCHED_CLS, T.SCHED_ACT];
const lightTunnel = [T.LWT_IN, T.LWT_OUT, T.LWT_XMIT, T.LWT_SEG6LOCAL];
const tracing = [T.RAW_TRACEPOINT, T.TRACEPOINT, T.PERF_EVENT, T.KPROBE];
const sockets = [T.SOCK_OPS, T.CGROUP_SOCK_ADDR, T.CGROUP_SOCKOPT];
const lookup = [...tc, T.XDP, T.CGROUP_SKB, T.SK_SKB, T.CGROUP_SOCK_ADDR];

/** Helpers that the types beside them alone may call: the `*_func_proto` of Linux 6.18, with CAP_PERFMON and CAP_BPF. */
const groups: readonly (readonly [types: readonly ProgramType[], helpers: readonly number[]])[] = [
  [
    [...tc, T.LWT_XMIT, T.SK_SKB],
    [9, 38, 43],
  ],
  [
    [...tc, T.LWT_XMIT],
    [10, 11, 13, 20, 21, 29, 30, 40, 41, 135],
  ],
  [tc, [18, 19, 31, 32, 48, 66, 151, 152, 155, 192]],
  [[...tc, T.XDP, T.LWT_XMIT], [23]],
  [
    [...tc, ...lightTunnel],
    [24, 33, 34],
  ],
  [[T.SOCKET_FILTER, ...tc, T.CGROUP_SKB, ...lightTunnel, T.SK_SKB, T.SK_REUSEPORT, T.FLOW_DISSECTOR], [26]],
  [[...tc, T.XDP, ...lightTunnel], [28]],
  [[...tc, ...lightTunnel, T.SK_SKB], [39]],
  [[T.XDP], [44, 51, 54, 65, 189, 190]],
  [[T.XDP, T.SYSCALL], [188]],
  [
    [
      T.SOCKET_FILTER,
      ...tc,
      T.CGROUP_SKB,
      T.CGROUP_SOCK,
      T.SOCK_OPS,
      T.SK_SKB,
      T.SK_REUSEPORT,
      T.CGROUP_SOCK_ADDR,
      T.SYSCALL,
    ],
    [46],
  ],
  [[T.SOCKET_FILTER, ...tc, T.CGROUP_SKB, T.SK_SKB], [47]],
  [sockets, [49, 57]],
  [[...tc, T.SK_SKB], [50]],
  [[T.SK_SKB], [52, 72]],
  [[T.SOCK_OPS], [53, 59, 70, 142, 143, 144]],
  [[T.SK_MSG], [60, 61, 62, 63, 71, 90, 91]],
  [[T.CGROUP_SOCK_ADDR], [64]],
  [[T.SOCKET_FILTER, ...tc, T.CGROUP_SKB, T.SK_REUSEPORT], [68]],
  [
    [...tc, T.XDP],
    [69, 100, 110, 163, 204, 205, 206, 207],
  ],
  [
    [...tc, T.CGROUP_SKB],
    [79, 83, 95, 97, 98],
  ],
  [[T.SK_REUSEPORT], [82]],
  [lookup, [84, 85, 99]],
  [[...lookup, T.SK_LOOKUP], [86]],
  [[...tc, T.CGROUP_SKB, T.SOCK_OPS, T.CGROUP_SOCKOPT], [96]],
  [[T.SOCKET_FILTER, ...tc, T.CGROUP_SKB, T.CGROUP_SOCK, T.SK_MSG, ...sockets], [122]],
  [[...tc, T.SK_LOOKUP], [124]],
  [[T.CGROUP_SKB], [128, 129]],
  [tracing, [174]],
];

const typesOf: ReadonlyMap<number, ReadonlySet<ProgramType>> = new Map(
  groups.flatMap(([types, helpers]) => helpers.map((id) => [id, new Set(types)] as const)),
);

/** The helpers of which {@link helperTypeRefusal} knows the types. */
export const typedHelpers: readonly number[] = [...typesOf.keys()];

/**
 * Why a program of a type may not call a helper that is about other types' contexts: `bpf_xdp_adjust_head is not for programs of
 * type sched_cls`; undefined when it may.
 */
export function helperTypeRefusal(id: number, type: ProgramType): string | undefined {
  const types = typesOf.get(id);
  if (types === undefined || types.has(type)) return undefined;
  if (id === CSUM_DIFF && type === PLUGIN_PROGRAM_TYPE) return undefined;
  return `bpf_${helperName(id)} is not for programs of type ${programTypeName(type)}`;
}
