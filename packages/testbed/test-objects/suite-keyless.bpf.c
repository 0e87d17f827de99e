// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Engine suite: maps without keys, and programs that put in and take out. */
#include <skep/bpf.h>

#define KEYLESS(map_name, map_type)										\
	struct {												\
		__uint(type, map_type);										\
		__uint(max_entries, 3);										\
		__type(value, __u64);										\
	} map_name SEC(".maps")

KEYLESS(queue, BPF_MAP_TYPE_QUEUE);
KEYLESS(stack, BPF_MAP_TYPE_STACK);

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 1000);
	__uint(map_extra, 3);
	__type(value, __u64);
} bloom SEC(".maps");

__u64 given;
__u64 taken;
/* Of an operation of a map: older kernels leave the upper half of a register as it comes. */
__s64 result;

#define OPERATIONS(map)												\
	SEC("tc")												\
	int push_##map(struct __sk_buff *skb)									\
	{													\
		result = (int)bpf_map_push_elem(&map, &given, 0);							\
		return 0;											\
	}													\
	SEC("tc")												\
	int replace_##map(struct __sk_buff *skb)								\
	{													\
		result = (int)bpf_map_push_elem(&map, &given, BPF_EXIST);						\
		return 0;											\
	}													\
	SEC("tc")												\
	int pop_##map(struct __sk_buff *skb)									\
	{													\
		__u64 value = 0;										\
		result = (int)bpf_map_pop_elem(&map, &value);							\
		taken = value;											\
		return 0;											\
	}													\
	SEC("tc")												\
	int peek_##map(struct __sk_buff *skb)									\
	{													\
		__u64 value = 0;										\
		result = (int)bpf_map_peek_elem(&map, &value);							\
		taken = value;											\
		return 0;											\
	}

OPERATIONS(queue)
OPERATIONS(stack)

SEC("tc")
int push_bloom(struct __sk_buff *skb)
{
	__u64 value = given;

	result = (int)bpf_map_push_elem(&bloom, &value, 0);
	return 0;
}

SEC("tc")
int peek_bloom(struct __sk_buff *skb)
{
	__u64 value = given;

	result = (int)bpf_map_peek_elem(&bloom, &value);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
