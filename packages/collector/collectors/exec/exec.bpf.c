/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */

/*
 * Every program executed on the machine, and how each of them ended. Linux 5.8 (ring buffer, tp_btf).
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "skep.bpf.h"

/* Most bytes of arguments that a row keeps; what is longer is cut and `truncated` is set. */
#define ARGS_MAX 4096
#define FILENAME_MAX 256
#define SIGNAL_GROUP_EXIT 4

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned int flags;
};

struct task_struct {
	int pid;
	int tgid;
	int exit_code;
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	char comm[16];
};

struct linux_binprm {
	const char *filename;
};
#pragma clang attribute pop

/* One execve(2) that succeeded. */
struct exec_event {
	skep_ktime time;
	skep_cgroup cgroup;
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	bool truncated;
	__u8 _padding[3];
	skep_str(16) comm;
	skep_str(FILENAME_MAX) filename;
	skep_strings(ARGS_MAX) args;
};

/* The end of a process whose execve was seen. */
struct exit_event {
	skep_ktime time;
	skep_ktime exec_time;
	skep_duration duration_ns;
	skep_cgroup cgroup;
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	__u16 code;
	__u16 signal;
	skep_str(16) comm;
};

/* Only this user, control group or parent process; all of them by default. */
const volatile __u32 only_uid = 0xffffffff;
const volatile __u64 only_cgroup = 0;
const volatile __u32 only_ppid = 0;

SKEP_STREAM(execs, struct exec_event, 1 << 20);
SKEP_STREAM(exits, struct exit_event, 1 << 18);

/* By process: when its last execve was. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, __u32);
	__type(value, __u64);
} running SEC(".maps");

/* An event is too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct exec_event);
} scratch SEC(".maps");

static bool wanted(__u32 uid, __u64 cgroup, __u32 ppid)
{
	return (only_uid == 0xffffffff || only_uid == uid) && (!only_cgroup || only_cgroup == cgroup) &&
	       (!only_ppid || only_ppid == ppid);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	__u32 zero = 0;
	__u32 pid = task->tgid;
	__u32 uid = bpf_get_current_uid_gid();
	__u64 cgroup = bpf_get_current_cgroup_id();
	__u32 ppid = task->real_parent->tgid;
	struct exec_event *event;
	__u64 arguments, size;

	skep_count(execs, seen);
	if (!wanted(uid, cgroup, ppid)) {
		/* The process may have been wanted under the program that it ran before. */
		bpf_map_delete_elem(&running, &pid);
		skep_count(execs, filtered);
		return 0;
	}
	event = bpf_map_lookup_elem(&scratch, &zero);
	if (!event) {
		skep_count(execs, failed);
		return 0;
	}

	event->time = bpf_ktime_get_ns();
	event->cgroup = cgroup;
	event->pid = pid;
	event->ppid = ppid;
	event->uid = uid;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->truncated = false;
	if (bpf_probe_read_kernel_str(event->filename, FILENAME_MAX, bprm->filename) == FILENAME_MAX) {
		char next = 0;

		/* A path of just that length is whole. */
		bpf_probe_read_kernel(&next, 1, bprm->filename + FILENAME_MAX - 1);
		event->truncated = next != 0;
	}

	arguments = task->mm->arg_start;
	size = task->mm->arg_end - arguments;
	if (size > ARGS_MAX) {
		size = ARGS_MAX;
		event->truncated = true;
	}
	if (bpf_probe_read_user(event->args, size, (void *)arguments)) {
		size = 0;
		event->truncated = true;
	}

	if (bpf_map_update_elem(&running, &pid, &event->time, BPF_ANY)) {
		/* Nobody will know when it ends: a row of the other stream is lost. */
		skep_count(exits, seen);
		skep_count(exits, failed);
	}
	skep_submit(execs, event, offsetof(struct exec_event, args) + size);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct signal_struct *signal = task->signal;
	__u32 pid = task->tgid;
	struct exit_event event = {};
	__u64 *exec_time;
	int status;

	/* Threads end one by one; the process ends with the last. */
	if (signal->live.counter)
		return 0;
	exec_time = bpf_map_lookup_elem(&running, &pid);
	if (!exec_time)
		return 0;
	event.exec_time = *exec_time;
	/* Two threads may both have found themselves the last: only one of them deletes. */
	if (bpf_map_delete_elem(&running, &pid))
		return 0;

	skep_count(exits, seen);
	/* As wait4(2) would report it. */
	status = signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : task->group_leader->exit_code;
	event.time = bpf_ktime_get_ns();
	event.duration_ns = event.time - event.exec_time;
	event.cgroup = bpf_get_current_cgroup_id();
	event.pid = pid;
	event.ppid = task->real_parent->tgid;
	event.uid = bpf_get_current_uid_gid();
	event.code = status >> 8 & 0xff;
	event.signal = status & 0x7f;
	bpf_probe_read_kernel(event.comm, sizeof(event.comm), task->group_leader->comm);
	skep_submit(exits, &event, sizeof(event));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
