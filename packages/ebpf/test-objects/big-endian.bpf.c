// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* skep: target=bpfeb */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct record {
	__u32 id;
	__u64 time;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct record);
} records SEC(".maps");

const volatile __u16 threshold = 0x1234;

static __noinline int check(struct record *record)
{
	return record->time > threshold;
}

SEC("tracepoint/sched/sched_switch")
int on_switch(void *context)
{
	__u32 key = 1;
	struct record *record = bpf_map_lookup_elem(&records, &key);

	return record ? check(record) : 0;
}

char LICENSE[] SEC("license") = "GPL";
