// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* CO-RE against the running kernel: what nearly every tracing program reads. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define relocatable __attribute__((preserve_access_index))

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct {
		int made_up;
	} no_such_member;
} relocatable;

struct linux_binprm {
	const char *filename;
} relocatable;

int parent;

SEC("tp_btf/sched_process_exec")
int on_exec(__u64 *arguments)
{
	struct task_struct *task = (void *)arguments[0];
	struct linux_binprm *binprm = (void *)arguments[2];

	parent = task->real_parent->tgid;
	if (bpf_core_field_exists(task->no_such_member))
		parent = task->no_such_member.made_up;
	return binprm->filename == 0;
}

char LICENSE[] SEC("license") = "GPL";
