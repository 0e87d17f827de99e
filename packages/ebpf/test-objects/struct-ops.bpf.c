// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Variables of every struct_ops section, two of them in one. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct the_ops___here {
	char name[8];
	__u32 weight;
	__u32 low : 3;
	__u32 high : 5;
	int (*first)(__u64 *ctx);
	void *data;
	int (*second)(__u64 *ctx);
};

SEC("struct_ops/first")
int one(__u64 *ctx)
{
	return 1;
}

SEC("struct_ops.s/second")
int two(__u64 *ctx)
{
	return 2;
}

SEC(".struct_ops.link")
struct the_ops___here linked = {
	.name = "linked",
	.weight = 7,
	.first = one,
};

SEC(".struct_ops.link")
struct the_ops___here linked_too = {
	.name = "too",
	.first = one,
	.second = two,
};

SEC(".struct_ops")
struct the_ops___here plain = {
	.low = 5,
	.second = two,
};

SEC("?.struct_ops")
struct the_ops___here optional = {
	.high = 17,
};

char LICENSE[] SEC("license") = "Dual BSD/GPL";
