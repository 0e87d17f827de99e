// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program whose license does not permit the helper that it calls. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("socket")
int gpl_only(struct __sk_buff *skb)
{
	__u64 value = 0;

	return bpf_probe_read_kernel(&value, sizeof(value), (void *)skb);
}

char LICENSE[] SEC("license") = "Proprietary";
