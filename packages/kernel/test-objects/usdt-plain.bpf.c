// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The header of this repository as it is used. */
#include <skep/bpf.h>
#include <skep/usdt.bpf.h>

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
