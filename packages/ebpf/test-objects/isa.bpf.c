// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* skep: cpu=v4 */
/* Instructions of version 4, for the disassembler. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__s64 words[4];

SEC("socket")
int arithmetic(struct __sk_buff *skb)
{
	__s64 a = words[0], b = words[1];

	words[2] = a / b + a % b;
	words[3] = (__s8)a + __builtin_bswap32(b);
	return __sync_fetch_and_add(&words[0], 3) + __sync_val_compare_and_swap(&words[1], 1, 2);
}

char LICENSE[] SEC("license") = "GPL";
