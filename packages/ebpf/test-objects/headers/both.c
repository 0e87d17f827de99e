// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Compiled with libbpf's headers and with ours: the instructions must be equal.
#ifdef WITH_LIBBPF
#include <linux/bpf.h>
#include <linux/bpf_perf_event.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#define __core __attribute__((preserve_access_index))
#else
#include <skep/bpf.h>
#endif

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(max_entries, 1);
			__type(key, __u32);
			__type(value, __u64);
		});
} outer SEC(".maps");

struct exe {
	__u64 inode;
} __core;
struct mm {
	struct exe *exe;
} __core;
struct task {
	int tgid;
	struct task *parent;
	struct mm *mm;
	char comm[16];
	unsigned wide : 20;
	int narrow : 3;
} __core;
enum state { RUNNING = 7 };

extern unsigned LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_BPF_JIT __kconfig __weak;
extern const int bpf_prog_active __ksym;

SEC("fentry/f") int BPF_PROG(no_arguments)
{
	return ctx[0] == 3;
}

SEC("fexit/f") int BPF_PROG(five, int a, char b, long c, struct task *d, int result)
{
	return a + b + c + d->tgid + result;
}

struct pair {
	long a;
	int b;
};

SEC("fentry/f") int BPF_PROG2(structs, int, a, struct pair, b, char, c, struct exe, d, void *, e)
{
	return a + b.a + b.b + c + d.inode + (long)e;
}

SEC("fentry/f") int BPF_PROG(paths, struct task *task)
{
	char comm[16];
	__u64 inode;

	BPF_CORE_READ_INTO(&inode, task, parent, parent, parent, parent, parent, mm, exe, inode);
	BPF_CORE_READ_STR_INTO(&comm, task, parent, comm);
	BPF_CORE_READ_USER_STR_INTO(&comm, task, comm);
	BPF_PROBE_READ_STR_INTO(&comm, task, mm, exe);
	return inode + comm[0] + BPF_CORE_READ(task, tgid) + BPF_CORE_READ(task, parent, tgid) +
	       BPF_CORE_READ_USER(task, mm, exe, inode) + BPF_PROBE_READ(task, parent, tgid) +
	       BPF_PROBE_READ_USER(task, parent, parent, tgid);
}

SEC("fentry/f") int BPF_PROG(questions, struct task *task)
{
	if (!bpf_core_field_exists(task->mm) || !bpf_core_field_exists(struct task, parent)) return 1;
	if (!bpf_core_type_exists(struct mm) || !bpf_core_enum_value_exists(enum state, RUNNING)) return 2;
	return bpf_core_field_size(task->comm) + bpf_core_type_size(struct exe) +
	       bpf_core_enum_value(enum state, RUNNING) + bpf_core_type_id_kernel(struct exe) +
	       bpf_core_type_id_local(struct exe) + bpf_core_type_matches(struct mm) +
	       bpf_core_field_offset(struct task, comm);
}

SEC("kprobe/f") int BPF_KPROBE(entry, int a, void *b, long c, char d, int e)
{
	return a + (long)b + c + d + e;
}

SEC("kretprobe/f") int BPF_KRETPROBE(leave, int result)
{
	return result + PT_REGS_RC(ctx) + PT_REGS_IP(ctx) + PT_REGS_SP(ctx) + PT_REGS_FP(ctx) + PT_REGS_RET(ctx);
}

SEC("ksyscall/f") int BPF_KSYSCALL(call, int a, const char *b, long c, int d, int e)
{
	return a + (long)b + c + d + e;
}

SEC("perf_event") int sampled(struct bpf_perf_event_data *ctx)
{
	return ctx->sample_period + PT_REGS_IP(&ctx->regs);
}

SEC("iter/task") int BPF_PROG(each, struct seq_file *file, struct task *task)
{
	BPF_SEQ_PRINTF(file, "%d of %d %s\n", task->tgid, 1, task->comm);
	return 0;
}

SEC("tc") int prints(struct __sk_buff *skb)
{
	char text[32];

	bpf_printk("nothing");
	bpf_printk("%d", skb->len);
	bpf_printk("%d %d %d", skb->len, skb->mark, 1);
	bpf_printk("%d %d %d %d", skb->len, skb->mark, 1, 2);
	bpf_printk("%d %d %d %d %d %d %d", 1, 2, 3, skb->mark, 5, 6, 7);
	return BPF_SNPRINTF(text, sizeof(text), "%d-%d", skb->len, 1) + text[0];
}

SEC("tc") int orders(struct __sk_buff *skb)
{
	static const __u16 port = bpf_htons(53);

	switch (skb->protocol) {
	case bpf_htons(0x800):
		return bpf_ntohs(port) + bpf_htonl(skb->mark);
	case bpf_ntohs(0x86dd):
		return bpf_cpu_to_be64(skb->tstamp) >> 32;
	}
	bpf_tail_call_static(skb, &programs, 1);
	return bpf_be64_to_cpu(skb->tstamp);
}

struct holder {
	int before;
	struct exe exe;
};

static __noinline int outlined(struct exe *exe)
{
	return container_of(exe, struct holder, exe)->before;
}

__hidden __noinline int hidden(int x)
{
	barrier_var(x);
	return x + LINUX_KERNEL_VERSION + CONFIG_BPF_JIT + (LINUX_KERNEL_VERSION > KERNEL_VERSION(6, 1, 0));
}

SEC("tc") int calls(struct __sk_buff *skb)
{
	struct holder holder = { .before = skb->len };
	__u32 key = 0;
	void *inner = bpf_map_lookup_elem(&outer, &key);

	return outlined(&holder.exe) + hidden(skb->mark) + (inner != NULL) + *(const int *)&bpf_prog_active;
}

char LICENSE[] SEC("license") = "GPL";
