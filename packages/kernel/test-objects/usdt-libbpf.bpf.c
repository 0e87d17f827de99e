// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The same with libbpf's header, whose maps and fields are found by name. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

__u64 seen;
__s64 sum;
__u64 cookies;

SEC("usdt")
int BPF_USDT(on_any, long value)
{
	__sync_fetch_and_add(&seen, 1);
	__sync_fetch_and_add(&sum, value);
	__sync_fetch_and_add(&cookies, bpf_usdt_cookie(ctx));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
