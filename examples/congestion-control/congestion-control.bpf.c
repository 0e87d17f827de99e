// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <skep/bpf.h>

/* What is used of the kernel's types; where a member lies is found out when the object is loaded. */
struct sock;
struct tcp_sock {
	__u32 snd_cwnd;
	__u32 snd_cwnd_clamp;
} __core;

struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(struct sock *sk);
	void (*init)(struct sock *sk);
	char name[16];
};

__u64 connections;

void BPF_STRUCT_OPS(fixed_init, struct sock *sk)
{
	__sync_fetch_and_add(&connections, 1);
}

__u32 BPF_STRUCT_OPS(fixed_ssthresh, struct sock *sk)
{
	return ((struct tcp_sock *)sk)->snd_cwnd;
}

__u32 BPF_STRUCT_OPS(fixed_undo_cwnd, struct sock *sk)
{
	return ((struct tcp_sock *)sk)->snd_cwnd;
}

/* Never more than 40 segments on their way, whatever happens. */
void BPF_STRUCT_OPS(fixed_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	((struct tcp_sock *)sk)->snd_cwnd = 40;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops fixed = {
	.init = (void *)fixed_init,
	.ssthresh = (void *)fixed_ssthresh,
	.undo_cwnd = (void *)fixed_undo_cwnd,
	.cong_avoid = (void *)fixed_cong_avoid,
	.name = "skep_fixed",
};

char LICENSE[] SEC("license") = "GPL";
