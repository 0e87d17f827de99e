// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Engine suite: maps that hold maps, and maps that hold programs. */
#include <skep/bpf.h>

struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps");

struct inner second SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer_array SEC(".maps") = {
	.values = { [1] = &first },
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer_hash SEC(".maps") = {
	.values = { [5] = &second },
};

/* Not like the pattern. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} unlike SEC(".maps");

int target(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, int(struct __sk_buff *));
} jumps SEC(".maps") = {
	.values = { [3] = target },
};

__u32 outer_key;
__u32 key;
__u64 value;
__u64 runs;
/* Of an operation of a map: older kernels leave the upper half of a register as it comes. */
__s64 result;

#define THROUGH(map)												\
	SEC("tc")												\
	int read_##map(struct __sk_buff *skb)									\
	{													\
		__u32 k = key, o = outer_key;									\
		void *inner = bpf_map_lookup_elem(&map, &o);							\
		__u64 *v = inner ? bpf_map_lookup_elem(inner, &k) : 0;						\
														\
		result = inner ? (v ? 0 : -2) : -1;								\
		value = v ? *v : 0;										\
		return 0;											\
	}													\
	SEC("tc")												\
	int write_##map(struct __sk_buff *skb)									\
	{													\
		__u32 k = key, o = outer_key;									\
		__u64 v = value;										\
		void *inner = bpf_map_lookup_elem(&map, &o);							\
														\
		result = inner ? (int)bpf_map_update_elem(inner, &k, &v, BPF_NOEXIST) : -1;				\
		return 0;											\
	}

THROUGH(outer_array)
THROUGH(outer_hash)

/* What it returns when there is no program at the index is 1. */
SEC("tc")
int jump(struct __sk_buff *skb)
{
	skb->cb[0] = 40;
	bpf_tail_call(skb, &jumps, key);
	return 1;
}

SEC("?tc")
int target(struct __sk_buff *skb)
{
	return 37 + skb->cb[0];
}

/* Calls itself when it is put into the map under `key`. */
SEC("tc")
int again(struct __sk_buff *skb)
{
	runs++;
	bpf_tail_call(skb, &jumps, key);
	return 2;
}

static __noinline int jump_from_below(struct __sk_buff *skb)
{
	int result = 5;

	/* The compiler takes it that the call comes back, and would do without the result. */
	bpf_tail_call(skb, &jumps, 3);
	barrier_var(result);
	return result;
}

/* A tail call in a function ends that function: its caller goes on. */
SEC("tc")
int jump_below(struct __sk_buff *skb)
{
	skb->cb[0] = 60;
	return jump_from_below(skb) + 1000;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
