// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Everything that our headers have, for every machine and instruction set. WITH_VMLINUX and WITH_UAPI: other headers
// that come first.
#ifdef WITH_VMLINUX
#include "vmlinux.h"
#endif
#ifdef WITH_UAPI
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ptrace.h>
#include <linux/tcp.h>
#endif
#ifdef WITH_LIBBPF
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#endif
#include <skep/bpf.h>
#include <skep/net.h>
#include <skep.bpf.h>
#ifdef WITH_UAPI_AFTER
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#endif

struct bits {
	unsigned low : 3;
	unsigned high : 21;
	int negative : 7;
} __core;

/* Nor has an older libbpf these. */
#ifndef WITH_LIBBPF
SEC("fentry/f") int BPF_PROG(bitfields, struct bits *bits, struct bits *own)
{
	struct bits copy = {};

	BPF_CORE_WRITE_BITFIELD(&copy, high, 77);
	return BPF_CORE_READ_BITFIELD(own, high) + BPF_CORE_READ_BITFIELD_PROBED(bits, negative) + copy.high;
}

SEC("fentry/f") int BPF_PROG(cast, void *object)
{
	return bpf_ksym_exists(bpf_rdonly_cast) ? bpf_core_cast(object, struct bits)->low : 0;
}

SEC("uprobe") int BPF_UPROBE(entered, long a, long b)
{
	return a + b + PT_REGS_PARM6(ctx);
}

SEC("uretprobe") int BPF_URETPROBE(left, long result)
{
	return result;
}

SEC("ksyscall/f") int BPF_KSYSCALL(call, int a, int b, int c, int d, int e, int f)
{
	return a + b + c + d + e + f;
}

#endif

SEC("xdp") int packet(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP)) return XDP_PASS;
	return ip->version == 4 && ip->protocol == IPPROTO_TCP ? XDP_DROP : XDP_PASS;
}

__u32 BPF_STRUCT_OPS(threshold, void *sk)
{
	return 4;
}

__noinline int checked(struct bits *bits __arg_nonnull)
{
	return bits->low;
}

/* An older <linux/bpf.h> has none of these. */
#if !defined(WITH_UAPI) && !defined(WITH_LIBBPF)
struct value {
	struct bits __kptr *kept;
	struct bpf_timer timer;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 10);
	__ulong(map_extra, 0x1ull << 44);
} arena SEC(".maps");

SEC("tc") int loops(struct __sk_buff *skb)
{
	int i, n = 0;

	bpf_for(i, 0, 10) n += i;
	bpf_repeat(3)
	{
		if (n > skb->len) break;
		n++;
	}
	bpf_printk("%d %d %d %d", n, i, 3, 4);
	return n;
}

#ifdef __BPF_FEATURE_MAY_GOTO
struct item {
	struct item __arena *next;
	int value;
};
struct item __arena *first;

SEC("syscall") int allocate(void *ctx)
{
	struct item __arena *item = bpf_arena_alloc_pages(&arena, NULL, 1, NUMA_NO_NODE, 0);
	int n = 0;

	if (item == NULL) return 1;
	cast_user(item);
	item->next = first;
	first = item;
	while (can_loop) {
		if (item->next == NULL) break;
		item = item->next;
	}
	for (;;) {
		if (n++ > item->value) break;
		cond_break;
	}
	return n;
}
#endif
#endif

char LICENSE[] SEC("license") = "GPL";
