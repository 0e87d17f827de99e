// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What our headers make of loops, printing, CO-RE, bitfields and arenas, for the kernel's verifier and to be run.
#include <skep/bpf.h>

struct task_struct___ours {
	int tgid;
	struct task_struct___ours *real_parent;
	char comm[16];
} __core;

struct iphdr___ours {
	__u8 ihl : 4, version : 4;
} __core;

__u32 tgid, parent_tgid;
char comm[16];
char text[32];
long printed, formatted;

SEC("syscall") int task(void *ctx)
{
	struct task_struct___ours *task = (void *)bpf_get_current_task();

	tgid = BPF_CORE_READ(task, tgid);
	parent_tgid = BPF_CORE_READ(task, real_parent, tgid);
	BPF_CORE_READ_STR_INTO(&comm, task, comm);
	return bpf_core_field_exists(task->comm) && bpf_core_field_size(task->comm) == 16 &&
	       !bpf_core_type_exists(struct no_such_type_of_the_kernel) && bpf_core_type_exists(struct task_struct___ours);
}

SEC("syscall") int bits(void *ctx)
{
	struct iphdr___ours header = {};

	BPF_CORE_WRITE_BITFIELD(&header, version, 6);
	BPF_CORE_WRITE_BITFIELD(&header, ihl, 5);
	return BPF_CORE_READ_BITFIELD(&header, version) * 10 + BPF_CORE_READ_BITFIELD_PROBED(&header, ihl);
}

SEC("syscall") int print(void *ctx)
{
	printed = bpf_printk("skep: %d %d %d %d %s", 1, 2, 3, 4, "five");
	formatted = BPF_SNPRINTF(text, sizeof(text), "%d-%d-%d-%d", 4, 3, 2, 1);
	return bpf_printk("skep: %d", 1) > 0;
}

SEC("syscall") int loop(void *ctx)
{
	int i, sum = 0;

	bpf_for(i, 0, 1000) sum += i;
	bpf_repeat(10)
	{
		if (sum > 499502) break;
		sum++;
	}
	return sum;
}

char LICENSE[] SEC("license") = "GPL";
