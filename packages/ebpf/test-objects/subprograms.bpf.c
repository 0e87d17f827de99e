// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Calls between functions, through relocations and without, and functions as values. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 total;

static __noinline int scale(int x)
{
	total += x;
	return x * 3;
}

__noinline int outer(int x)
{
	return scale(x) + 1;
}

__hidden __noinline int concealed(int x)
{
	total -= x;
	return x;
}

static long visit(__u32 index, void *context)
{
	total += index;
	return 0;
}

/* In the section of the program that calls it: the call has no relocation. */
SEC("raw_tp/sched_switch")
static __noinline int neighbour(int x)
{
	return x + (int)total;
}

SEC("raw_tp/sched_switch")
int first(void *context)
{
	return outer(1) + neighbour(2);
}

SEC("raw_tp/sched_switch")
int second(void *context)
{
	bpf_loop(4, visit, 0, 0);
	return scale(2) + concealed(3);
}

SEC("xdp")
int plain(struct xdp_md *context)
{
	return XDP_PASS;
}

int VERSION SEC("version") = 0x060102;
char LICENSE[] SEC("license") = "GPL";
