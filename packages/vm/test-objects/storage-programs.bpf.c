/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Storage by task, in a program of a type that the kernel would not let have it. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} storage SEC(".maps");

/* Counts its runs in a task; 0 when the task has no storage. */
SEC("syscall") int count(void *ctx)
{
	__u64 *runs = bpf_task_storage_get(&storage, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	return runs ? ++*runs : 0;
}

SEC("syscall") int forget(void *ctx)
{
	return bpf_task_storage_delete(&storage, bpf_get_current_task_btf());
}
