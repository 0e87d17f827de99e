// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget } from "./attach-target.ts";
import { AttachType } from "./attach-type.ts";
import { ProgramType } from "./program-type.ts";

/** BPF_F_SLEEPABLE (5.10): the program may sleep; `.s` in a section's name. */
export const BPF_F_SLEEPABLE: number = 1 << 4;
/** BPF_F_XDP_HAS_FRAGS (5.18): the program takes packets in several parts; `xdp.frags`. */
export const BPF_F_XDP_HAS_FRAGS: number = 1 << 5;

/** What the name of a program's section says about it. */
export interface SectionMeaning {
  /** 0 when the name is not known: the type must then be set before loading. */
  readonly type: ProgramType;
  readonly expectedAttachType: AttachType;
  /** `BPF_F_*` of BPF_PROG_LOAD. */
  readonly flags: number;
  /** Kernel function or tracepoint that the program is verified against; empty when it needs none. */
  readonly attachTo: string;
  readonly target: AttachTarget | undefined;
}

/** What the part of a name after its first `/` stands for. */
type Extra =
  | "tracepoint"
  | "raw_tracepoint"
  | "tp_btf"
  | "fentry"
  | "fexit"
  | "fmod_ret"
  | "freplace"
  | "lsm"
  | "iter"
  | "btf"
  | "kprobe"
  | "kretprobe"
  | "ksyscall"
  | "kretsyscall"
  | "kprobe_multi"
  | "kretprobe_multi"
  | "kprobe_session"
  | "uprobe"
  | "uretprobe"
  | "uprobe_multi"
  | "uretprobe_multi"
  | "uprobe_session"
  | "usdt"
  | undefined;

/** Kinds whose program is verified against what the name gives. */
const verifiedAgainst: ReadonlySet<Extra> = new Set([
  "tp_btf",
  "fentry",
  "fexit",
  "fmod_ret",
  "freplace",
  "lsm",
  "iter",
  "btf",
]);

interface Pattern {
  readonly name: string;
  /** Whether `name/extra` has a meaning of its own (`+` in libbpf's table). Otherwise what follows is ignored. */
  readonly open: boolean;
  readonly type: ProgramType;
  readonly attachType: AttachType;
  readonly flags: number;
  readonly extra: Extra;
}

/** A name with `+` may be followed by `/extra`. */
function pattern(name: string, type: ProgramType, attachType: AttachType = 0, extra?: Extra, flags = 0): Pattern {
  const open = name.endsWith("+");
  return { name: open ? name.slice(0, -1) : name, open, type, attachType, flags, extra };
}

/** A name and its sleepable form: `fentry+`, `fentry.s+`. */
function sleepable(name: string, type: ProgramType, attachType: AttachType = 0, extra?: Extra): Pattern[] {
  return [
    pattern(name, type, attachType, extra),
    pattern(name.replace("+", ".s+"), type, attachType, extra, BPF_F_SLEEPABLE),
  ];
}

/** A name and its form for packets in several parts: `xdp/devmap`, `xdp.frags/devmap`. */
function frags(name: string, attachType: AttachType): Pattern[] {
  return [
    pattern(name, ProgramType.XDP, attachType),
    pattern(name.replace("xdp", "xdp.frags"), ProgramType.XDP, attachType, undefined, BPF_F_XDP_HAS_FRAGS),
  ];
}

/** The names that libbpf knows (tools/lib/bpf/libbpf.c, `section_defs`). */
const PATTERNS: readonly Pattern[] = [
  pattern("socket", ProgramType.SOCKET_FILTER),
  pattern("sk_reuseport/migrate", ProgramType.SK_REUSEPORT, AttachType.SK_REUSEPORT_SELECT_OR_MIGRATE),
  pattern("sk_reuseport", ProgramType.SK_REUSEPORT, AttachType.SK_REUSEPORT_SELECT),
  pattern("kprobe+", ProgramType.KPROBE, 0, "kprobe"),
  pattern("kretprobe+", ProgramType.KPROBE, 0, "kretprobe"),
  ...sleepable("uprobe+", ProgramType.KPROBE, 0, "uprobe"),
  ...sleepable("uretprobe+", ProgramType.KPROBE, 0, "uretprobe"),
  pattern("kprobe.multi+", ProgramType.KPROBE, AttachType.TRACE_KPROBE_MULTI, "kprobe_multi"),
  pattern("kretprobe.multi+", ProgramType.KPROBE, AttachType.TRACE_KPROBE_MULTI, "kretprobe_multi"),
  pattern("kprobe.session+", ProgramType.KPROBE, AttachType.TRACE_KPROBE_SESSION, "kprobe_session"),
  ...sleepable("uprobe.multi+", ProgramType.KPROBE, AttachType.TRACE_UPROBE_MULTI, "uprobe_multi"),
  ...sleepable("uretprobe.multi+", ProgramType.KPROBE, AttachType.TRACE_UPROBE_MULTI, "uretprobe_multi"),
  ...sleepable("uprobe.session+", ProgramType.KPROBE, AttachType.TRACE_UPROBE_SESSION, "uprobe_session"),
  pattern("ksyscall+", ProgramType.KPROBE, 0, "ksyscall"),
  pattern("kretsyscall+", ProgramType.KPROBE, 0, "kretsyscall"),
  ...sleepable("usdt+", ProgramType.KPROBE, 0, "usdt"),
  pattern("tc/ingress", ProgramType.SCHED_CLS, AttachType.TCX_INGRESS),
  pattern("tc/egress", ProgramType.SCHED_CLS, AttachType.TCX_EGRESS),
  pattern("tcx/ingress", ProgramType.SCHED_CLS, AttachType.TCX_INGRESS),
  pattern("tcx/egress", ProgramType.SCHED_CLS, AttachType.TCX_EGRESS),
  pattern("tc", ProgramType.SCHED_CLS),
  pattern("classifier", ProgramType.SCHED_CLS),
  pattern("action", ProgramType.SCHED_ACT),
  pattern("netkit/primary", ProgramType.SCHED_CLS, AttachType.NETKIT_PRIMARY),
  pattern("netkit/peer", ProgramType.SCHED_CLS, AttachType.NETKIT_PEER),
  ...sleepable("tracepoint+", ProgramType.TRACEPOINT, 0, "tracepoint"),
  ...sleepable("tp+", ProgramType.TRACEPOINT, 0, "tracepoint"),
  ...sleepable("raw_tracepoint+", ProgramType.RAW_TRACEPOINT, 0, "raw_tracepoint"),
  ...sleepable("raw_tp+", ProgramType.RAW_TRACEPOINT, 0, "raw_tracepoint"),
  pattern("raw_tracepoint.w+", ProgramType.RAW_TRACEPOINT_WRITABLE, 0, "raw_tracepoint"),
  pattern("raw_tp.w+", ProgramType.RAW_TRACEPOINT_WRITABLE, 0, "raw_tracepoint"),
  ...sleepable("tp_btf+", ProgramType.TRACING, AttachType.TRACE_RAW_TP, "tp_btf"),
  ...sleepable("fentry+", ProgramType.TRACING, AttachType.TRACE_FENTRY, "fentry"),
  ...sleepable("fmod_ret+", ProgramType.TRACING, AttachType.MODIFY_RETURN, "fmod_ret"),
  ...sleepable("fexit+", ProgramType.TRACING, AttachType.TRACE_FEXIT, "fexit"),
  ...sleepable("fsession+", ProgramType.TRACING, AttachType.TRACE_FSESSION, "btf"),
  ...sleepable("fentry.multi+", ProgramType.TRACING, AttachType.TRACE_FENTRY_MULTI),
  ...sleepable("fexit.multi+", ProgramType.TRACING, AttachType.TRACE_FEXIT_MULTI),
  ...sleepable("fsession.multi+", ProgramType.TRACING, AttachType.TRACE_FSESSION_MULTI),
  pattern("freplace+", ProgramType.EXT, 0, "freplace"),
  ...sleepable("lsm+", ProgramType.LSM, AttachType.LSM_MAC, "lsm"),
  pattern("lsm_cgroup+", ProgramType.LSM, AttachType.LSM_CGROUP, "btf"),
  ...sleepable("iter+", ProgramType.TRACING, AttachType.TRACE_ITER, "iter"),
  pattern("syscall", ProgramType.SYSCALL, 0, undefined, BPF_F_SLEEPABLE),
  ...frags("xdp/devmap", AttachType.XDP_DEVMAP),
  ...frags("xdp/cpumap", AttachType.XDP_CPUMAP),
  ...frags("xdp", AttachType.XDP),
  pattern("perf_event", ProgramType.PERF_EVENT),
  pattern("lwt_in", ProgramType.LWT_IN),
  pattern("lwt_out", ProgramType.LWT_OUT),
  pattern("lwt_xmit", ProgramType.LWT_XMIT),
  pattern("lwt_seg6local", ProgramType.LWT_SEG6LOCAL),
  pattern("sockops", ProgramType.SOCK_OPS, AttachType.CGROUP_SOCK_OPS),
  pattern("sk_skb/stream_parser", ProgramType.SK_SKB, AttachType.SK_SKB_STREAM_PARSER),
  pattern("sk_skb/stream_verdict", ProgramType.SK_SKB, AttachType.SK_SKB_STREAM_VERDICT),
  pattern("sk_skb/verdict", ProgramType.SK_SKB, AttachType.SK_SKB_VERDICT),
  pattern("sk_skb", ProgramType.SK_SKB),
  pattern("sk_msg", ProgramType.SK_MSG, AttachType.SK_MSG_VERDICT),
  pattern("lirc_mode2", ProgramType.LIRC_MODE2, AttachType.LIRC_MODE2),
  pattern("flow_dissector", ProgramType.FLOW_DISSECTOR, AttachType.FLOW_DISSECTOR),
  pattern("cgroup_skb/ingress", ProgramType.CGROUP_SKB, AttachType.CGROUP_INET_INGRESS),
  pattern("cgroup_skb/egress", ProgramType.CGROUP_SKB, AttachType.CGROUP_INET_EGRESS),
  pattern("cgroup/skb", ProgramType.CGROUP_SKB),
  pattern("cgroup/sock_create", ProgramType.CGROUP_SOCK, AttachType.CGROUP_INET_SOCK_CREATE),
  pattern("cgroup/sock_release", ProgramType.CGROUP_SOCK, AttachType.CGROUP_INET_SOCK_RELEASE),
  pattern("cgroup/sock", ProgramType.CGROUP_SOCK, AttachType.CGROUP_INET_SOCK_CREATE),
  pattern("cgroup/post_bind4", ProgramType.CGROUP_SOCK, AttachType.CGROUP_INET4_POST_BIND),
  pattern("cgroup/post_bind6", ProgramType.CGROUP_SOCK, AttachType.CGROUP_INET6_POST_BIND),
  pattern("cgroup/bind4", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET4_BIND),
  pattern("cgroup/bind6", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET6_BIND),
  pattern("cgroup/connect4", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET4_CONNECT),
  pattern("cgroup/connect6", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET6_CONNECT),
  pattern("cgroup/connect_unix", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UNIX_CONNECT),
  pattern("cgroup/sendmsg4", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UDP4_SENDMSG),
  pattern("cgroup/sendmsg6", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UDP6_SENDMSG),
  pattern("cgroup/sendmsg_unix", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UNIX_SENDMSG),
  pattern("cgroup/recvmsg4", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UDP4_RECVMSG),
  pattern("cgroup/recvmsg6", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UDP6_RECVMSG),
  pattern("cgroup/recvmsg_unix", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UNIX_RECVMSG),
  pattern("cgroup/getpeername4", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET4_GETPEERNAME),
  pattern("cgroup/getpeername6", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET6_GETPEERNAME),
  pattern("cgroup/getpeername_unix", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UNIX_GETPEERNAME),
  pattern("cgroup/getsockname4", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET4_GETSOCKNAME),
  pattern("cgroup/getsockname6", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET6_GETSOCKNAME),
  pattern("cgroup/getsockname_unix", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UNIX_GETSOCKNAME),
  pattern("cgroup/sysctl", ProgramType.CGROUP_SYSCTL, AttachType.CGROUP_SYSCTL),
  pattern("cgroup/getsockopt", ProgramType.CGROUP_SOCKOPT, AttachType.CGROUP_GETSOCKOPT),
  pattern("cgroup/setsockopt", ProgramType.CGROUP_SOCKOPT, AttachType.CGROUP_SETSOCKOPT),
  pattern("cgroup/dev", ProgramType.CGROUP_DEVICE, AttachType.CGROUP_DEVICE),
  ...sleepable("struct_ops+", ProgramType.STRUCT_OPS),
  pattern("sk_lookup", ProgramType.SK_LOOKUP, AttachType.SK_LOOKUP),
  pattern("netfilter", ProgramType.NETFILTER, AttachType.NETFILTER),
];

const openPatterns = new Map(PATTERNS.filter((entry) => entry.open).map((entry) => [entry.name, entry]));
/** Longest first, so that `xdp/devmap` is found before `xdp`. */
const closedPatterns = PATTERNS.filter((entry) => !entry.open).sort((a, b) => b.name.length - a.name.length);

/**
 * What a section's name means, by libbpf's conventions: `tp_btf/sched_process_exec`, `xdp`, `kprobe.multi/tcp_*`.
 * A `?` in front (do not load unless asked for) changes nothing here. Names without an extra match as prefixes: `socket/x` and `socket_x`
 * are socket filters.
 */
export function sectionMeaning(section: string): SectionMeaning {
  const name = section.startsWith("?") ? section.slice(1) : section;
  const slash = name.indexOf("/");
  const extra = slash < 0 ? "" : name.slice(slash + 1);
  const found =
    openPatterns.get(slash < 0 ? name : name.slice(0, slash)) ??
    closedPatterns.find((entry) => name.startsWith(entry.name));
  if (found === undefined) return { type: 0, expectedAttachType: 0, flags: 0, attachTo: "", target: undefined };
  return {
    type: found.type,
    expectedAttachType: found.attachType,
    flags: found.flags,
    attachTo: verifiedAgainst.has(found.extra) ? extra : "",
    target: extra === "" ? undefined : targetOf(found.extra, extra),
  };
}

/** Iterators over the elements of a map, which no name can tell. */
const iteratorsOfMaps = ["bpf_map_elem", "bpf_sk_storage_map", "sockmap"];

function targetOf(kind: Extra, extra: string): AttachTarget | undefined {
  switch (kind) {
    case "tracepoint": {
      const slash = extra.indexOf("/");
      return slash < 0 ? undefined : { tracepoint: `${extra.slice(0, slash)}:${extra.slice(slash + 1)}` };
    }
    case "raw_tracepoint":
      return { rawTracepoint: extra };
    case "tp_btf":
      return { tpBtf: extra };
    case "fentry":
      return { fentry: extra };
    case "fexit":
      return { fexit: extra };
    case "fmod_ret":
      return { fmodRet: extra };
    case "freplace":
      return { freplace: { function: extra } };
    case "lsm":
      return { lsm: extra };
    case "iter":
      return iteratorsOfMaps.includes(extra) ? undefined : { iterator: {} };
    default:
      return probeTargetOf(kind, extra);
  }
}

function probeTargetOf(kind: Extra, extra: string): AttachTarget | undefined {
  switch (kind) {
    case "kprobe": {
      const { name, offset } = withOffset(extra);
      return { kprobe: name, ...(offset !== undefined && { offset }) };
    }
    case "kretprobe":
      return { kretprobe: extra };
    case "ksyscall":
      return { ksyscall: extra };
    case "kretsyscall":
      return { kretsyscall: extra };
    case "kprobe_multi":
      return { kprobeMulti: { pattern: extra } };
    case "kretprobe_multi":
      return { kprobeMulti: { pattern: extra, moment: "return" } };
    case "kprobe_session":
      return { kprobeMulti: { pattern: extra, moment: "session" } };
    default:
      return uprobeTargetOf(kind, extra);
  }
}

/** `/path:function+0x10`; a pattern after the colon for uprobe.multi, `provider:name` for usdt. */
function uprobeTargetOf(kind: Extra, extra: string): AttachTarget | undefined {
  if (kind === "usdt") {
    const [, path, provider, name] = /^(.+):([^:]+):([^:]+)$/.exec(extra) ?? [];
    return path && provider && name ? { usdt: { path, provider, name } } : undefined;
  }
  const colon = extra.lastIndexOf(":");
  if (colon < 1 || colon === extra.length - 1) return undefined;
  const file = extra.slice(0, colon);
  const pattern = extra.slice(colon + 1);
  const { name, offset } = withOffset(pattern);
  const code = { file, symbol: name, ...(offset !== undefined && { offset }) };
  switch (kind) {
    case "uprobe":
      return { uprobe: code };
    case "uretprobe":
      return { uretprobe: code };
    case "uprobe_multi":
      return { uprobeMulti: { file, pattern } };
    case "uretprobe_multi":
      return { uprobeMulti: { file, pattern, moment: "return" } };
    case "uprobe_session":
      return { uprobeMulti: { file, pattern, moment: "session" } };
    default:
      return undefined;
  }
}

/** `name+16` or `name+0x10`. */
function withOffset(text: string): { readonly name: string; readonly offset: number | undefined } {
  const match = /^(.+)\+(0x[0-9a-f]+|\d+)$/i.exec(text);
  return { name: match?.[1] ?? text, offset: match === null ? undefined : Number(match[2]) };
}
