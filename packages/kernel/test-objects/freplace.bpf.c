// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program with a function that others replace and observe. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

__u64 entered;
__u64 result;

/* Global, so that the verifier takes it by itself; the assembly keeps the compiler from knowing what it returns. */
__attribute__((noinline)) int verdict(struct __sk_buff *skb)
{
	int value = 1;

	asm volatile("" : "+r"(value));
	return skb->len ? value : 0;
}

SEC("socket")
int judge(struct __sk_buff *skb)
{
	return verdict(skb);
}

SEC("socket")
int judge_too(struct __sk_buff *skb)
{
	return verdict(skb) + 100;
}

SEC("freplace/verdict")
int seven(struct __sk_buff *skb)
{
	return 7;
}

SEC("fentry/verdict")
int BPF_PROG(on_entry, void *skb)
{
	__sync_fetch_and_add(&entered, 1);
	return 0;
}

/* Of a module, where veth is one. */
SEC("fentry/veth_xmit")
int BPF_PROG(on_veth, void *skb)
{
	__sync_fetch_and_add(&entered, 1);
	return 0;
}

SEC("fexit/verdict")
int BPF_PROG(on_exit, void *skb, int returned)
{
	result = returned;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
