// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Something of everything, compiled for both byte orders: twin-big.bpf.c is the other one. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

enum color { RED, GREEN = 70000 };

struct record {
	__u32 id;
	__u16 low : 3;
	__u16 high : 9;
	__u64 time;
	char name[8];
	enum color color;
};

struct task_struct {
	int pid;
	struct task_struct *parent;
} __attribute__((preserve_access_index));

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [1] = &first } };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 70000);
	__type(key, __u32);
	__type(value, struct record);
} records SEC(".maps");

struct record example = { .id = 0x01020304, .low = 5, .high = 300, .time = 1ULL << 40, .name = "twin", .color = GREEN };
const volatile __s16 threshold = -1234;
__u64 total;
static volatile int hidden = 0x0a0b;

static __noinline int check(struct record *record)
{
	hidden++;
	return record->time > threshold;
}

__noinline int global(int value)
{
	return value * 3 + example.id;
}

static long visit(__u32 index, void *context)
{
	total += index;
	return 0;
}

SEC("tp_btf/sched_switch")
int on_switch(void *context)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	__u32 key = 1;
	struct record *record = bpf_map_lookup_elem(&records, &key);

	bpf_loop(5, visit, 0, 0);
	if (!bpf_core_field_exists(task->parent))
		return 0;
	return record ? check(record) + task->parent->pid : global(2);
}

SEC("xdp")
int drop(struct xdp_md *context)
{
	__u32 key = 0;
	void *map = bpf_map_lookup_elem(&outer, &key);

	if (map && bpf_map_lookup_elem(map, &key))
		return XDP_DROP;
	return bpf_core_type_size(struct task_struct) > 1000 ? XDP_PASS : XDP_ABORTED;
}

char LICENSE[] SEC("license") = "GPL";
__u32 _version SEC("version") = 0x050607;
