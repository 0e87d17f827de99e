// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One program and nothing else. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("?tp/sched/sched_process_exit")
int on_exit(void *context)
{
	return bpf_get_current_pid_tgid() >> 32;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
