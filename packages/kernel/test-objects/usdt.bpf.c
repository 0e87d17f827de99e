// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs for USDT probes, with this repository's headers. */
#include <skep/bpf.h>

/* The test chooses, so that the way of kernels without cookies is tested on those that have them. */
const volatile _Bool has_cookies = 1;
#define SKEP_USDT_HAS_COOKIES has_cookies
/* So few that a test can use them up. */
#define BPF_USDT_MAX_SPEC_CNT 3
#include <skep/usdt.bpf.h>

__u64 seen;
__s64 values[8];
/* Of all calls together. */
__s64 sum;
__u64 cookies;
int count;
/* What reading an argument beyond the last answers. */
int beyond;

SEC("usdt")
int BPF_USDT(on_kinds, int number, int constant, __u64 stack, __u8 byte, signed char small, short element, int variable,
	     const char *text)
{
	char head[5] = {};

	values[0] = number;
	values[1] = constant;
	values[2] = stack;
	values[3] = byte;
	values[4] = small;
	values[5] = element;
	values[6] = variable;
	bpf_probe_read_user(head, sizeof(head), text);
	values[7] = head[0] == '/' && head[4] == 'e';
	count = bpf_usdt_arg_cnt(ctx);
	long value = 1;
	beyond = bpf_usdt_arg(ctx, 8, &value);
	__sync_fetch_and_add(&seen, 1);
	return 0;
}

SEC("usdt")
int BPF_USDT(on_any, long value)
{
	__sync_fetch_and_add(&seen, 1);
	__sync_fetch_and_add(&sum, value);
	__sync_fetch_and_add(&cookies, bpf_usdt_cookie(ctx));
	return 0;
}

/* May wait for what is not in memory. */
SEC("usdt.s")
int BPF_USDT(on_sleepable, int number, int constant, __u64 stack, __u8 byte, signed char small, short element, int variable,
	     const char *text)
{
	char head[5] = {};

	bpf_copy_from_user(head, sizeof(head), text);
	values[7] = head[0] == '/' && head[4] == 'e';
	__sync_fetch_and_add(&seen, 1);
	return 0;
}

/* Reads no arguments, and so has none of the maps. */
SEC("usdt")
int on_silent(void *ctx)
{
	__sync_fetch_and_add(&seen, 1);
	__sync_fetch_and_add(&cookies, bpf_get_attach_cookie(ctx));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
