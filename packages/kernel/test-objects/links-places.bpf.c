// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs for places that the other objects leave out: iterators of more kinds, netfilter that looks at packets. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define RELOCATED __attribute__((preserve_access_index))

struct sk_buff {
	unsigned int len;
} RELOCATED;
struct bpf_nf_ctx {
	struct sk_buff *skb;
} RELOCATED;
struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
} RELOCATED;
struct task_struct {
	int tgid;
	int pid;
} RELOCATED;
struct vm_area_struct {
	unsigned long vm_start;
} RELOCATED;
struct kernfs_node {
	__u64 id;
} RELOCATED;
struct cgroup {
	struct kernfs_node *kn;
} RELOCATED;
struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
} RELOCATED;
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
} RELOCATED;
struct bpf_iter__cgroup {
	struct bpf_iter_meta *meta;
	struct cgroup *cgroup;
} RELOCATED;
struct bpf_iter__sockmap {
	struct bpf_iter_meta *meta;
	void *key;
	void *sk;
} RELOCATED;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} sockets SEC(".maps");

const volatile __u32 wanted;
__u64 seen;
/* Bytes of the largest packet. */
__u64 largest;

SEC("netfilter")
int measure(struct bpf_nf_ctx *ctx)
{
	__u64 length = ctx->skb->len;

	__sync_fetch_and_add(&seen, 1);
	if (length > largest)
		largest = length;
	return 1;
}

SEC("netfilter")
int drop(struct bpf_nf_ctx *ctx)
{
	__sync_fetch_and_add(&seen, 1);
	return 0;
}

SEC("iter/task_vma")
int list_memory(struct bpf_iter__task_vma *ctx)
{
	struct task_struct *task = ctx->task;
	struct vm_area_struct *vma = ctx->vma;

	if (task && vma)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d %lx\n", task->tgid, vma->vm_start);
	return 0;
}

SEC("iter/task_file")
int list_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d %u\n", task->tgid, ctx->fd);
	return 0;
}

SEC("iter/cgroup")
int list_cgroups(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *cgroup = ctx->cgroup;

	if (cgroup)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%llu\n", cgroup->kn->id);
	return 0;
}

SEC("iter/sockmap")
int list_sockets(struct bpf_iter__sockmap *ctx)
{
	__u32 *key = ctx->key;

	if (key)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%u %s\n", *key, ctx->sk ? "held" : "empty");
	return 0;
}

/* Has the map loaded. */
SEC("sk_skb/verdict")
int pass_sockets(struct __sk_buff *ctx)
{
	return bpf_sk_redirect_map(ctx, &sockets, 0, BPF_F_INGRESS);
}

static __always_inline int count(void)
{
	if (bpf_get_current_pid_tgid() >> 32 == wanted)
		__sync_fetch_and_add(&seen, 1);
	return 0;
}

SEC("kprobe.session")
int on_kprobe_session(void *ctx)
{
	return count();
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
