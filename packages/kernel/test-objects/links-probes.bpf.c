// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs for probes, trampolines and iterators. They count the calls of one process. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

struct seq_file;
struct task_struct {
	int tgid;
	int pid;
} __attribute__((preserve_access_index));
struct bpf_iter_meta {
	struct seq_file *seq;
} __attribute__((preserve_access_index));
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __attribute__((preserve_access_index));
struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	void *map;
	void *key;
	void *value;
} __attribute__((preserve_access_index));

const volatile __u32 wanted;
__u64 seen;
/* Sum of the cookies of all calls. */
__u64 cookies;

static __always_inline int count(void *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 != wanted)
		return 0;
	__sync_fetch_and_add(&seen, 1);
	__sync_fetch_and_add(&cookies, bpf_get_attach_cookie(ctx));
	return 0;
}

SEC("uprobe")
int on_uprobe(void *ctx)
{
	return count(ctx);
}

SEC("uprobe/libc.so.6:getppid")
int on_named_uprobe(void *ctx)
{
	return count(ctx);
}

SEC("uprobe.multi")
int on_uprobe_multi(void *ctx)
{
	return count(ctx);
}

SEC("uprobe.session")
int on_uprobe_session(void *ctx)
{
	return count(ctx);
}

SEC("kprobe")
int on_kprobe(void *ctx)
{
	return count(ctx);
}

SEC("kprobe.multi")
int on_kprobe_multi(void *ctx)
{
	return count(ctx);
}

/* BPF_PROG_TEST_RUN of a tracing program calls the kernel's test functions, and with them the program. */
SEC("fentry/bpf_fentry_test1")
int on_fentry(void *ctx)
{
	return count(ctx);
}

SEC("fexit/bpf_fentry_test1")
int on_fexit(void *ctx)
{
	return count(ctx);
}

SEC("fmod_ret/bpf_modify_return_test")
int on_fmod_ret(void *ctx)
{
	return count(ctx);
}

SEC("lsm/file_open")
int on_lsm(void *ctx)
{
	return count(ctx);
}

SEC("iter/task")
int list_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d %d\n", task->tgid, task->pid);
	return 0;
}

/* Only those of the wanted process. */
SEC("iter/task")
int list_own_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && task->tgid == wanted)
		BPF_SEQ_PRINTF(ctx->meta->seq, "own %d\n", task->pid);
	return 0;
}

SEC("iter/bpf_map_elem")
int list_elements(struct bpf_iter__bpf_map_elem *ctx)
{
	__u32 *key = ctx->key;
	__u64 *value = ctx->value;

	if (key && value)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%u=%llu\n", *key, *value);
	return 0;
}

/* Has the map loaded, and created with it. */
SEC("socket")
int count_elements(struct __sk_buff *ctx)
{
	__u32 key = 1;

	return bpf_map_lookup_elem(&numbers, &key) ? 1 : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
