/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <skep/bpf.h>
#include <skep.bpf.h>

#define SYS_OPENAT 257 /* x86-64 */

struct open_event {
	skep_ktime time;
	__u32 pid;
	skep_str(16) comm;
};
SKEP_STREAM(opens, struct open_event, 1 << 18);

SEC("raw_tp/sys_enter")
int BPF_PROG(on_enter, void *regs, long id)
{
	struct open_event event = {};

	if (id != SYS_OPENAT)
		return 0;
	skep_count(opens, seen);
	event.time = bpf_ktime_get_ns();
	event.pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(event.comm, sizeof(event.comm));
	skep_submit(opens, &event, sizeof(event));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
