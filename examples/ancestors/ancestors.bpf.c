// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <skep/bpf.h>

#define GENERATIONS 4

/* As much of the kernel's struct as is read; its real layout is looked up when the object is loaded. */
struct task_struct {
	int tgid;
	struct task_struct *real_parent;
	char comm[16];
	unsigned int __state;
} __core;

/* Before Linux 5.14 it had another name. */
struct task_struct___before_5_14 {
	long state;
} __core;

struct ancestor {
	__u32 pid;
	char comm[16];
};

struct event {
	__u32 state;
	struct ancestor line[GENERATIONS];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
	__type(value, struct event);
} events SEC(".maps");

SEC("raw_tp/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return 0;
	if (bpf_core_field_exists(task->__state))
		event->state = BPF_CORE_READ(task, __state);
	else
		event->state = BPF_CORE_READ((struct task_struct___before_5_14 *)task, state);
	for (int i = 0; i < GENERATIONS; i++) {
		event->line[i].pid = BPF_CORE_READ(task, tgid);
		BPF_CORE_READ_STR_INTO(&event->line[i].comm, task, comm);
		task = BPF_CORE_READ(task, real_parent);
	}
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
