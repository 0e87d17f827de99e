// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Asks for a kernel configuration value, which is refused. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int LINUX_KERNEL_VERSION __kconfig;

SEC("raw_tp/sched_switch")
int version_check(void *context)
{
	return LINUX_KERNEL_VERSION > 0x060000;
}

char LICENSE[] SEC("license") = "GPL";
