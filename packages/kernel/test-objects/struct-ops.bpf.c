// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* TCP congestion controls: the least that the kernel takes, each counts how often it was asked. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct sock;

struct tcp_sock {
	__u32 snd_cwnd;
	__u32 snd_ssthresh;
} __attribute__((preserve_access_index));

/* In another order than the kernel's, without most of its members, and with one that no kernel has. */
struct tcp_congestion_ops___skep {
	char name[16];
	__u32 flags;
	__u32 not_in_the_kernel;
	void (*no_such_function)(struct sock *sk);
	__u32 (*undo_cwnd)(struct sock *sk);
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	void (*init)(struct sock *sk);
};

/* As no kernel has it. */
struct no_such_ops {
	void (*init)(struct sock *sk);
};

__u64 begun;
__u64 begun_otherwise;
__u64 avoided;

SEC("struct_ops")
__u32 BPF_PROG(fixed_ssthresh, struct sock *sk)
{
	return 2;
}

SEC("struct_ops")
__u32 BPF_PROG(fixed_undo_cwnd, struct sock *sk)
{
	return ((struct tcp_sock *)sk)->snd_cwnd;
}

SEC("struct_ops/cong_avoid")
void BPF_PROG(fixed_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	__sync_fetch_and_add(&avoided, 1);
}

SEC("struct_ops/init")
void BPF_PROG(fixed_init, struct sock *sk)
{
	__sync_fetch_and_add(&begun, 1);
}

SEC("struct_ops/init")
void BPF_PROG(other_init, struct sock *sk)
{
	__sync_fetch_and_add(&begun_otherwise, 1);
}

SEC("struct_ops/init")
void BPF_PROG(unused_init, struct sock *sk)
{
}

SEC("xdp")
int an_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops___skep linked = {
	.name = "skep_linked",
	.ssthresh = (void *)fixed_ssthresh,
	.undo_cwnd = (void *)fixed_undo_cwnd,
	.cong_avoid = (void *)fixed_cong_avoid,
	.init = (void *)fixed_init,
};

/* To be put in the place of the one before: by the same name, as the kernel wants it. */
SEC("?.struct_ops.link")
struct tcp_congestion_ops___skep successor = {
	.name = "skep_linked",
	.ssthresh = (void *)fixed_ssthresh,
	.undo_cwnd = (void *)fixed_undo_cwnd,
	.cong_avoid = (void *)fixed_cong_avoid,
	.init = (void *)other_init,
};

SEC("?.struct_ops")
struct tcp_congestion_ops___skep unlinked = {
	.name = "skep_unlinked",
	.ssthresh = (void *)fixed_ssthresh,
	.undo_cwnd = (void *)fixed_undo_cwnd,
	.cong_avoid = (void *)fixed_cong_avoid,
};

SEC("?.struct_ops.link")
struct no_such_ops unknown = {
	.init = (void *)unused_init,
};

char _license[] SEC("license") = "GPL";
