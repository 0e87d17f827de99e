// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Linked with join-one.bpf.c. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

extern struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct packet {
	__u32 length;
	__u32 mark;
};

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

static volatile int calls = 1000;
static __noinline int twist(int value)
{
	return value * 3 + calls;
}

int shared = 20;
const volatile int limit = 300;
int table[4] = { 1, 2, 4000, 8 };
int weak_here = 50000;

__noinline int scale(const struct packet *packet)
{
	if (!packet)
		return 0;
	calls++;
	return packet->length * 1000000 + packet->mark + twist(1);
}

__noinline int chosen(void)
{
	return 2;
}

__weak int first_counts(void)
{
	return 20;
}

__hidden __noinline int hidden_there(int value)
{
	return value * 3;
}

static long add_two(__u32 index, void *context)
{
	*(int *)context += 2;
	return 0;
}

SEC("socket")
int sum_there(struct __sk_buff *packet)
{
	__u32 key = 1;
	__u64 *value = bpf_map_lookup_elem(&counts, &key);
	int looped = __builtin_preserve_field_info(((struct task_struct *)0)->pid, BPF_FIELD_EXISTS);

	bpf_loop(3, add_two, &looped, 0);
	if (value)
		*value += 10;
	return looped + chosen();
}

char LICENSE[] SEC("license") = "GPL";
