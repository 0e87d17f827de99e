// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <skep/bpf.h>

struct mm_struct;
struct task_struct {
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct mm_struct *mm;
	char comm[16];
} __core;

struct bpf_iter_meta {
	struct seq_file *seq;
} __core;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __core;

/* What the reader gets of each process. */
struct row {
	__u32 pid;
	__u32 parent;
	char comm[16];
	__u8 kernel;
};
struct row shape; /* not used: it puts the type into the generated module */

SEC("iter/task")
int list(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct row row = {};

	if (!task || task->pid != task->tgid)
		return 0;
	row.pid = task->pid;
	row.parent = BPF_CORE_READ(task, real_parent, tgid);
	row.kernel = !task->mm;
	bpf_probe_read_kernel_str(row.comm, sizeof(row.comm), task->comm);
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
