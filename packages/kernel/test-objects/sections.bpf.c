// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Variables in sections of their own names, hidden and weak functions, and callbacks. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 ceiling SEC(".rodata.limits") = 9;
__u32 lowest SEC(".data.limits") = 4;
__u32 passes SEC(".bss.counts");

static long add(__u32 index, void *sum)
{
	*(__u32 *)sum += index;
	return 0;
}

__hidden __noinline int concealed(int value)
{
	return value * 100;
}

__weak __noinline int replaceable(int value)
{
	return value + 1000;
}

SEC("socket")
int limits(struct __sk_buff *packet)
{
	passes++;
	return ceiling * 10 + lowest;
}

SEC("socket")
int calls(struct __sk_buff *packet)
{
	__u32 sum = 0;

	bpf_loop(4, add, &sum, 0);
	return concealed(sum) + replaceable(1);
}

char LICENSE[] SEC("license") = "GPL";
