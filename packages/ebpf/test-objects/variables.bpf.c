// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Global variables of all sections. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct limits {
	__u32 low;
	__u32 high;
};

const volatile __u32 minimum_ns = 1000;
const volatile char wanted_comm[16] = "init";
const volatile struct limits limits = { 1, 9 };
const volatile _Bool verbose;
__s64 balance = -5;
__u32 counters[4];
__u16 settings SEC(".data.settings") = 7;
static volatile __u32 internal = 3;
static volatile __u32 internal_zero;

SEC("tp_btf/sched_process_exec")
int on_exec(void *context)
{
	if (limits.low > limits.high || verbose)
		return wanted_comm[0];
	counters[1] += minimum_ns;
	balance += settings;
	internal++;
	internal_zero += internal;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
