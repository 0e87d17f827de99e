// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "./program-type.ts";

/**
 * What programs return to say what becomes of a packet or a socket: `enum xdp_action`, `TC_ACT_*` and its other names for tcx
 * and netkit, `enum sk_action`, `enum bpf_ret_code`, `NF_*` (include/uapi/linux/{bpf,pkt_cls,netfilter}.h).
 */
export const Verdict = {
  XDP_ABORTED: 0,
  XDP_DROP: 1,
  XDP_PASS: 2,
  XDP_TX: 3,
  XDP_REDIRECT: 4,
  TC_ACT_UNSPEC: -1,
  TC_ACT_OK: 0,
  TC_ACT_RECLASSIFY: 1,
  TC_ACT_SHOT: 2,
  TC_ACT_PIPE: 3,
  TC_ACT_STOLEN: 4,
  TC_ACT_QUEUED: 5,
  TC_ACT_REPEAT: 6,
  TC_ACT_REDIRECT: 7,
  TC_ACT_TRAP: 8,
  TCX_NEXT: -1,
  TCX_PASS: 0,
  TCX_DROP: 2,
  TCX_REDIRECT: 7,
  NETKIT_NEXT: -1,
  NETKIT_PASS: 0,
  NETKIT_DROP: 2,
  NETKIT_REDIRECT: 7,
  SK_DROP: 0,
  SK_PASS: 1,
  BPF_OK: 0,
  BPF_DROP: 2,
  BPF_REDIRECT: 7,
  BPF_LWT_REROUTE: 128,
  BPF_FLOW_DISSECTOR_CONTINUE: 129,
  NF_DROP: 0,
  NF_ACCEPT: 1,
} as const;

/** What a matcher or a table calls a number of {@link Verdict}, such as `XDP_DROP`. */
export type VerdictName = keyof typeof Verdict;

const tc = /^TC_ACT_/;
const sk = /^SK_/;
const lwt = /^BPF_(OK|DROP|REDIRECT|LWT_REROUTE)$/;
const names: ReadonlyMap<ProgramType, ReadonlyMap<number, VerdictName>> = new Map([
  [ProgramType.XDP, those(/^XDP_/)],
  [ProgramType.SCHED_CLS, those(tc)],
  [ProgramType.SCHED_ACT, those(tc)],
  [ProgramType.SK_LOOKUP, those(sk)],
  [ProgramType.SK_SKB, those(sk)],
  [ProgramType.SK_MSG, those(sk)],
  [ProgramType.SK_REUSEPORT, those(sk)],
  [ProgramType.LWT_IN, those(lwt)],
  [ProgramType.LWT_OUT, those(lwt)],
  [ProgramType.LWT_XMIT, those(lwt)],
  [ProgramType.LWT_SEG6LOCAL, those(lwt)],
  [ProgramType.FLOW_DISSECTOR, those(/^BPF_(OK|DROP|FLOW_DISSECTOR_CONTINUE)$/)],
  [ProgramType.NETFILTER, those(/^NF_/)],
]);

function those(pattern: RegExp): ReadonlyMap<number, VerdictName> {
  const all = Object.entries(Verdict) as [VerdictName, number][];
  return new Map(all.filter(([name]) => pattern.test(name)).map(([name, value]) => [value, name]));
}

/** What a program of a type said by what it returned: `XDP_DROP`; a number in decimal where that has no name. */
export function verdictName(type: ProgramType, returned: number): string {
  return names.get(type)?.get(returned | 0) ?? String(returned >>> 0);
}

/** What programs of a type may say, by name; nothing for those whose numbers have no names, such as cgroup_skb. */
export function verdictNames(type: ProgramType): readonly VerdictName[] {
  return [...(names.get(type)?.values() ?? [])];
}

const taken: ReadonlySet<number> = new Set([
  Verdict.TC_ACT_SHOT,
  Verdict.TC_ACT_STOLEN,
  Verdict.TC_ACT_QUEUED,
  Verdict.TC_ACT_TRAP,
]);

/**
 * Whether a packet goes on, here or elsewhere, after a program of a type returned this: passed, sent back or redirected.
 * Types that do not decide about packets let everything through.
 */
export function letsThrough(type: ProgramType, returned: number): boolean {
  switch (type) {
    case ProgramType.XDP:
      return returned >= Verdict.XDP_PASS && returned <= Verdict.XDP_REDIRECT;
    case ProgramType.SCHED_CLS:
    case ProgramType.SCHED_ACT:
      return !taken.has(returned);
    case ProgramType.CGROUP_SKB:
      // From 2 on it also asks for congestion to be told (NET_XMIT_CN).
      return (returned & 1) === 1;
    case ProgramType.SOCKET_FILTER:
      return returned > 0;
    case ProgramType.SK_LOOKUP:
    case ProgramType.SK_SKB:
    case ProgramType.SK_MSG:
    case ProgramType.SK_REUSEPORT:
      return returned === Verdict.SK_PASS;
    case ProgramType.LWT_IN:
    case ProgramType.LWT_OUT:
    case ProgramType.LWT_XMIT:
    case ProgramType.LWT_SEG6LOCAL:
    case ProgramType.FLOW_DISSECTOR:
      return returned !== Verdict.BPF_DROP;
    case ProgramType.NETFILTER:
      return returned === Verdict.NF_ACCEPT;
    default:
      return true;
  }
}
