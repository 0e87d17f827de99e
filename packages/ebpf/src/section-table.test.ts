// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { AttachType } from "./attach-type.ts";
import { ProgramType } from "./program-type.ts";
import { BPF_F_SLEEPABLE, BPF_F_XDP_HAS_FRAGS, sectionMeaning } from "./section-names.ts";

/** Every name that libbpf knows in 2026 (`section_defs`, tools/lib/bpf/libbpf.c); those with `+` take more after a `/`. */
const names: readonly (readonly [name: string, type: number, attachType: number, flags?: number])[] = [
  ["socket", ProgramType.SOCKET_FILTER, 0],
  ["sk_reuseport", ProgramType.SK_REUSEPORT, AttachType.SK_REUSEPORT_SELECT],
  ["sk_reuseport/migrate", ProgramType.SK_REUSEPORT, AttachType.SK_REUSEPORT_SELECT_OR_MIGRATE],
  ["kprobe+", ProgramType.KPROBE, 0],
  ["kretprobe+", ProgramType.KPROBE, 0],
  ["uprobe+", ProgramType.KPROBE, 0],
  ["uprobe.s+", ProgramType.KPROBE, 0, BPF_F_SLEEPABLE],
  ["uretprobe+", ProgramType.KPROBE, 0],
  ["uretprobe.s+", ProgramType.KPROBE, 0, BPF_F_SLEEPABLE],
  ["kprobe.multi+", ProgramType.KPROBE, AttachType.TRACE_KPROBE_MULTI],
  ["kretprobe.multi+", ProgramType.KPROBE, AttachType.TRACE_KPROBE_MULTI],
  ["kprobe.session+", ProgramType.KPROBE, AttachType.TRACE_KPROBE_SESSION],
  ["uprobe.multi+", ProgramType.KPROBE, AttachType.TRACE_UPROBE_MULTI],
  ["uprobe.multi.s+", ProgramType.KPROBE, AttachType.TRACE_UPROBE_MULTI, BPF_F_SLEEPABLE],
  ["uretprobe.multi+", ProgramType.KPROBE, AttachType.TRACE_UPROBE_MULTI],
  ["uretprobe.multi.s+", ProgramType.KPROBE, AttachType.TRACE_UPROBE_MULTI, BPF_F_SLEEPABLE],
  ["uprobe.session+", ProgramType.KPROBE, AttachType.TRACE_UPROBE_SESSION],
  ["uprobe.session.s+", ProgramType.KPROBE, AttachType.TRACE_UPROBE_SESSION, BPF_F_SLEEPABLE],
  ["ksyscall+", ProgramType.KPROBE, 0],
  ["kretsyscall+", ProgramType.KPROBE, 0],
  ["usdt+", ProgramType.KPROBE, 0],
  ["usdt.s+", ProgramType.KPROBE, 0, BPF_F_SLEEPABLE],
  ["tc/ingress", ProgramType.SCHED_CLS, AttachType.TCX_INGRESS],
  ["tc/egress", ProgramType.SCHED_CLS, AttachType.TCX_EGRESS],
  ["tcx/ingress", ProgramType.SCHED_CLS, AttachType.TCX_INGRESS],
  ["tcx/egress", ProgramType.SCHED_CLS, AttachType.TCX_EGRESS],
  ["tc", ProgramType.SCHED_CLS, 0],
  ["classifier", ProgramType.SCHED_CLS, 0],
  ["action", ProgramType.SCHED_ACT, 0],
  ["netkit/primary", ProgramType.SCHED_CLS, AttachType.NETKIT_PRIMARY],
  ["netkit/peer", ProgramType.SCHED_CLS, AttachType.NETKIT_PEER],
  ["tracepoint+", ProgramType.TRACEPOINT, 0],
  ["tracepoint.s+", ProgramType.TRACEPOINT, 0, BPF_F_SLEEPABLE],
  ["tp+", ProgramType.TRACEPOINT, 0],
  ["tp.s+", ProgramType.TRACEPOINT, 0, BPF_F_SLEEPABLE],
  ["raw_tracepoint+", ProgramType.RAW_TRACEPOINT, 0],
  ["raw_tracepoint.s+", ProgramType.RAW_TRACEPOINT, 0, BPF_F_SLEEPABLE],
  ["raw_tracepoint.w+", ProgramType.RAW_TRACEPOINT_WRITABLE, 0],
  ["raw_tp+", ProgramType.RAW_TRACEPOINT, 0],
  ["raw_tp.s+", ProgramType.RAW_TRACEPOINT, 0, BPF_F_SLEEPABLE],
  ["raw_tp.w+", ProgramType.RAW_TRACEPOINT_WRITABLE, 0],
  ["tp_btf+", ProgramType.TRACING, AttachType.TRACE_RAW_TP],
  ["tp_btf.s+", ProgramType.TRACING, AttachType.TRACE_RAW_TP, BPF_F_SLEEPABLE],
  ["fentry+", ProgramType.TRACING, AttachType.TRACE_FENTRY],
  ["fentry.s+", ProgramType.TRACING, AttachType.TRACE_FENTRY, BPF_F_SLEEPABLE],
  ["fmod_ret+", ProgramType.TRACING, AttachType.MODIFY_RETURN],
  ["fmod_ret.s+", ProgramType.TRACING, AttachType.MODIFY_RETURN, BPF_F_SLEEPABLE],
  ["fexit+", ProgramType.TRACING, AttachType.TRACE_FEXIT],
  ["fexit.s+", ProgramType.TRACING, AttachType.TRACE_FEXIT, BPF_F_SLEEPABLE],
  ["fsession+", ProgramType.TRACING, AttachType.TRACE_FSESSION],
  ["fsession.s+", ProgramType.TRACING, AttachType.TRACE_FSESSION, BPF_F_SLEEPABLE],
  ["fentry.multi+", ProgramType.TRACING, AttachType.TRACE_FENTRY_MULTI],
  ["fentry.multi.s+", ProgramType.TRACING, AttachType.TRACE_FENTRY_MULTI, BPF_F_SLEEPABLE],
  ["fexit.multi+", ProgramType.TRACING, AttachType.TRACE_FEXIT_MULTI],
  ["fexit.multi.s+", ProgramType.TRACING, AttachType.TRACE_FEXIT_MULTI, BPF_F_SLEEPABLE],
  ["fsession.multi+", ProgramType.TRACING, AttachType.TRACE_FSESSION_MULTI],
  ["fsession.multi.s+", ProgramType.TRACING, AttachType.TRACE_FSESSION_MULTI, BPF_F_SLEEPABLE],
  ["freplace+", ProgramType.EXT, 0],
  ["lsm+", ProgramType.LSM, AttachType.LSM_MAC],
  ["lsm.s+", ProgramType.LSM, AttachType.LSM_MAC, BPF_F_SLEEPABLE],
  ["lsm_cgroup+", ProgramType.LSM, AttachType.LSM_CGROUP],
  ["iter+", ProgramType.TRACING, AttachType.TRACE_ITER],
  ["iter.s+", ProgramType.TRACING, AttachType.TRACE_ITER, BPF_F_SLEEPABLE],
  ["syscall", ProgramType.SYSCALL, 0, BPF_F_SLEEPABLE],
  ["xdp", ProgramType.XDP, AttachType.XDP],
  ["xdp.frags", ProgramType.XDP, AttachType.XDP, BPF_F_XDP_HAS_FRAGS],
  ["xdp/devmap", ProgramType.XDP, AttachType.XDP_DEVMAP],
  ["xdp.frags/devmap", ProgramType.XDP, AttachType.XDP_DEVMAP, BPF_F_XDP_HAS_FRAGS],
  ["xdp/cpumap", ProgramType.XDP, AttachType.XDP_CPUMAP],
  ["xdp.frags/cpumap", ProgramType.XDP, AttachType.XDP_CPUMAP, BPF_F_XDP_HAS_FRAGS],
  ["perf_event", ProgramType.PERF_EVENT, 0],
  ["lwt_in", ProgramType.LWT_IN, 0],
  ["lwt_out", ProgramType.LWT_OUT, 0],
  ["lwt_xmit", ProgramType.LWT_XMIT, 0],
  ["lwt_seg6local", ProgramType.LWT_SEG6LOCAL, 0],
  ["sockops", ProgramType.SOCK_OPS, AttachType.CGROUP_SOCK_OPS],
  ["sk_skb", ProgramType.SK_SKB, 0],
  ["sk_skb/stream_parser", ProgramType.SK_SKB, AttachType.SK_SKB_STREAM_PARSER],
  ["sk_skb/stream_verdict", ProgramType.SK_SKB, AttachType.SK_SKB_STREAM_VERDICT],
  ["sk_skb/verdict", ProgramType.SK_SKB, AttachType.SK_SKB_VERDICT],
  ["sk_msg", ProgramType.SK_MSG, AttachType.SK_MSG_VERDICT],
  ["lirc_mode2", ProgramType.LIRC_MODE2, AttachType.LIRC_MODE2],
  ["flow_dissector", ProgramType.FLOW_DISSECTOR, AttachType.FLOW_DISSECTOR],
  ["cgroup_skb/ingress", ProgramType.CGROUP_SKB, AttachType.CGROUP_INET_INGRESS],
  ["cgroup_skb/egress", ProgramType.CGROUP_SKB, AttachType.CGROUP_INET_EGRESS],
  ["cgroup/skb", ProgramType.CGROUP_SKB, 0],
  ["cgroup/sock_create", ProgramType.CGROUP_SOCK, AttachType.CGROUP_INET_SOCK_CREATE],
  ["cgroup/sock_release", ProgramType.CGROUP_SOCK, AttachType.CGROUP_INET_SOCK_RELEASE],
  ["cgroup/sock", ProgramType.CGROUP_SOCK, AttachType.CGROUP_INET_SOCK_CREATE],
  ["cgroup/post_bind4", ProgramType.CGROUP_SOCK, AttachType.CGROUP_INET4_POST_BIND],
  ["cgroup/post_bind6", ProgramType.CGROUP_SOCK, AttachType.CGROUP_INET6_POST_BIND],
  ["cgroup/bind4", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET4_BIND],
  ["cgroup/bind6", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET6_BIND],
  ["cgroup/connect4", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET4_CONNECT],
  ["cgroup/connect6", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET6_CONNECT],
  ["cgroup/connect_unix", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UNIX_CONNECT],
  ["cgroup/sendmsg4", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UDP4_SENDMSG],
  ["cgroup/sendmsg6", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UDP6_SENDMSG],
  ["cgroup/sendmsg_unix", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UNIX_SENDMSG],
  ["cgroup/recvmsg4", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UDP4_RECVMSG],
  ["cgroup/recvmsg6", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UDP6_RECVMSG],
  ["cgroup/recvmsg_unix", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UNIX_RECVMSG],
  ["cgroup/getpeername4", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET4_GETPEERNAME],
  ["cgroup/getpeername6", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET6_GETPEERNAME],
  ["cgroup/getpeername_unix", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UNIX_GETPEERNAME],
  ["cgroup/getsockname4", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET4_GETSOCKNAME],
  ["cgroup/getsockname6", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_INET6_GETSOCKNAME],
  ["cgroup/getsockname_unix", ProgramType.CGROUP_SOCK_ADDR, AttachType.CGROUP_UNIX_GETSOCKNAME],
  ["cgroup/sysctl", ProgramType.CGROUP_SYSCTL, AttachType.CGROUP_SYSCTL],
  ["cgroup/getsockopt", ProgramType.CGROUP_SOCKOPT, AttachType.CGROUP_GETSOCKOPT],
  ["cgroup/setsockopt", ProgramType.CGROUP_SOCKOPT, AttachType.CGROUP_SETSOCKOPT],
  ["cgroup/dev", ProgramType.CGROUP_DEVICE, AttachType.CGROUP_DEVICE],
  ["struct_ops+", ProgramType.STRUCT_OPS, 0],
  ["struct_ops.s+", ProgramType.STRUCT_OPS, 0, BPF_F_SLEEPABLE],
  ["sk_lookup", ProgramType.SK_LOOKUP, AttachType.SK_LOOKUP],
  ["netfilter", ProgramType.NETFILTER, AttachType.NETFILTER],
];

/** Names that mean something by themselves, and not with a suffix in front of the slash. */
const open = names.flatMap(([name]) => (name.endsWith("+") ? [name.slice(0, -1)] : []));

describe("the names of sections", () => {
  it("are all of libbpf's", () => {
    expect(names).toHaveLength(116);
  });

  it.for(names)("has %s", ([name, type, expectedAttachType, flags = 0]) => {
    const plain = name.replace(/\+$/, "");
    const section = name.endsWith("+") ? `${plain}/extra` : plain;
    for (const written of [section, `?${section}`, plain]) {
      expect(sectionMeaning(written), written).toMatchObject({ type, expectedAttachType, flags });
    }
  });

  it.each(open)("does not take %s for the beginning of another", (name) => {
    expect(sectionMeaning(`${name}x/extra`).type).toBe(0);
  });
});
