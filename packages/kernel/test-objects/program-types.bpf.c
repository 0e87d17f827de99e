// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program of each type, by the name of the type after of_. Each counts its runs and lets happen what happens. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct pt_regs;
struct socket;

/* What a tracepoint of every process tells is not counted, but for this one's. */
const volatile __u32 wanted;

__u64 seen;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} group SEC(".maps");

#define COUNTING(section, name, context, result)                                                                      \
	SEC(section)                                                                                                   \
	int name(context)                                                                                              \
	{                                                                                                              \
		__sync_fetch_and_add(&seen, 1);                                                                        \
		return result;                                                                                         \
	}

COUNTING("socket", of_socket_filter, struct __sk_buff *ctx, 7)
COUNTING("kprobe/bpf_fentry_test1", of_kprobe, struct pt_regs *ctx, 0)
COUNTING("tc", of_sched_cls, struct __sk_buff *ctx, 7)
COUNTING("action", of_sched_act, struct __sk_buff *ctx, 7)
COUNTING("tp/syscalls/sys_enter_getppid", of_tracepoint, void *ctx, 0)
COUNTING("xdp", of_xdp, struct xdp_md *ctx, XDP_PASS)
COUNTING("perf_event", of_perf_event, void *ctx, 0)
COUNTING("cgroup_skb/egress", of_cgroup_skb, struct __sk_buff *ctx, 1)
COUNTING("cgroup/sock_create", of_cgroup_sock, struct bpf_sock *ctx, 1)
COUNTING("lwt_in", of_lwt_in, struct __sk_buff *ctx, BPF_OK)
COUNTING("lwt_out", of_lwt_out, struct __sk_buff *ctx, BPF_OK)
COUNTING("lwt_xmit", of_lwt_xmit, struct __sk_buff *ctx, BPF_OK)
COUNTING("sockops", of_sock_ops, struct bpf_sock_ops *ctx, 1)
COUNTING("sk_skb/stream_verdict", of_sk_skb, struct __sk_buff *ctx, SK_PASS)
COUNTING("cgroup/dev", of_cgroup_device, struct bpf_cgroup_dev_ctx *ctx, 1)
COUNTING("sk_msg", of_sk_msg, struct sk_msg_md *ctx, SK_PASS)
COUNTING("cgroup/connect4", of_cgroup_sock_addr, struct bpf_sock_addr *ctx, 1)
COUNTING("lwt_seg6local", of_lwt_seg6local, struct __sk_buff *ctx, BPF_OK)
COUNTING("lirc_mode2", of_lirc_mode2, unsigned int *ctx, 0)
COUNTING("flow_dissector", of_flow_dissector, struct __sk_buff *ctx, BPF_OK)
COUNTING("cgroup/sysctl", of_cgroup_sysctl, struct bpf_sysctl *ctx, 1)
COUNTING("cgroup/setsockopt", of_cgroup_sockopt, struct bpf_sockopt *ctx, 1)
COUNTING("tp_btf/sched_process_exec", of_tracing, void *ctx, 0)
COUNTING("lsm/file_open", of_lsm, void *ctx, 0)
COUNTING("lsm_cgroup/socket_post_create", of_lsm_cgroup, void *ctx, 1)
COUNTING("sk_lookup", of_sk_lookup, struct bpf_sk_lookup *ctx, SK_PASS)
COUNTING("syscall", of_syscall, void *ctx, 7)
COUNTING("netfilter", of_netfilter, void *ctx, 1)

static __always_inline void count_own(void)
{
	if (bpf_get_current_pid_tgid() >> 32 == wanted)
		__sync_fetch_and_add(&seen, 1);
}

SEC("raw_tp/bpf_test_finish")
int of_raw_tracepoint(struct bpf_raw_tracepoint_args *ctx)
{
	count_own();
	return 0;
}

/* Its argument is the error that the test run ends with. */
SEC("raw_tp.w/bpf_test_finish")
int of_raw_tracepoint_writable(struct bpf_raw_tracepoint_args *ctx)
{
	int *error = (int *)ctx->args[0];

	if (bpf_get_current_pid_tgid() >> 32 == wanted) {
		__sync_fetch_and_add(&seen, 1);
		*error = -33;
	}
	return 0;
}

/* All to the first of the group. */
SEC("sk_reuseport")
int of_sk_reuseport(struct sk_reuseport_md *ctx)
{
	__u32 key = 0;

	__sync_fetch_and_add(&seen, 1);
	return bpf_sk_select_reuseport(ctx, &group, &key, 0) ? SK_DROP : SK_PASS;
}

SEC("struct_ops")
int BPF_PROG(of_struct_ops, void *sk)
{
	return 2;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
