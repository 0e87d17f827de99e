// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Engine suite: what programs do to maps. Variables are their arguments and their results. */
#include <skep/bpf.h>

struct prefix {
	__u32 length;
	__u32 address;
};

#define DECLARE(map_name, map_type, entries, flags)								\
	struct {												\
		__uint(type, map_type);										\
		__uint(max_entries, entries);									\
		__uint(map_flags, flags);									\
		__type(key, __u32);										\
		__type(value, __u64);										\
	} map_name SEC(".maps")

DECLARE(hash, BPF_MAP_TYPE_HASH, 8, 0);
DECLARE(array, BPF_MAP_TYPE_ARRAY, 8, 0);
DECLARE(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, 8, 0);
DECLARE(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, 8, 0);
DECLARE(lru_hash, BPF_MAP_TYPE_LRU_HASH, 64, 0);
DECLARE(mapped, BPF_MAP_TYPE_ARRAY, 64, BPF_F_MMAPABLE);
DECLARE(read_only, BPF_MAP_TYPE_ARRAY, 4, BPF_F_RDONLY_PROG);

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 8);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u64);
} lpm_trie SEC(".maps");

struct locked {
	struct bpf_spin_lock lock;
	__u32 left;
	__u32 right;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct locked);
} balances SEC(".maps");

__u32 key;
__u64 value;
__u64 flags;
/* Of an operation of a map: older kernels leave the upper half of a register as it comes. */
__s64 result;
__u64 found;

#define OPERATIONS(map)												\
	SEC("tc")												\
	int update_##map(struct __sk_buff *skb)									\
	{													\
		__u32 k = key;											\
		__u64 v = value;										\
		result = (int)bpf_map_update_elem(&map, &k, &v, flags);						\
		return 0;											\
	}													\
	SEC("tc")												\
	int lookup_##map(struct __sk_buff *skb)									\
	{													\
		__u32 k = key;											\
		__u64 *v = bpf_map_lookup_elem(&map, &k);							\
		result = v ? 0 : -1;										\
		found = v ? *v : 0;										\
		return 0;											\
	}													\
	SEC("tc")												\
	int delete_##map(struct __sk_buff *skb)									\
	{													\
		__u32 k = key;											\
		result = (int)bpf_map_delete_elem(&map, &k);								\
		return 0;											\
	}													\
	SEC("tc")												\
	int add_##map(struct __sk_buff *skb)									\
	{													\
		__u32 k = key;											\
		__u64 *v = bpf_map_lookup_elem(&map, &k);							\
		if (v)												\
			__sync_fetch_and_add(v, value);								\
		return 0;											\
	}

OPERATIONS(hash)
OPERATIONS(array)
OPERATIONS(percpu_hash)
OPERATIONS(percpu_array)
OPERATIONS(lru_hash)
OPERATIONS(mapped)

SEC("tc")
int lookup_read_only(struct __sk_buff *skb)
{
	__u32 k = key;
	__u64 *v = bpf_map_lookup_elem(&read_only, &k);

	found = v ? *v : 0;
	return 0;
}

SEC("tc")
int lookup_lpm(struct __sk_buff *skb)
{
	struct prefix prefix = { .length = 32, .address = key };
	__u64 *v = bpf_map_lookup_elem(&lpm_trie, &prefix);

	result = v ? 0 : -1;
	found = v ? *v : 0;
	return 0;
}

SEC("tc")
int update_lpm(struct __sk_buff *skb)
{
	struct prefix prefix = { .length = (__u32)flags, .address = key };
	__u64 v = value;

	result = (int)bpf_map_update_elem(&lpm_trie, &prefix, &v, 0);
	return 0;
}

SEC("tc")
int lookup_percpu(struct __sk_buff *skb)
{
	__u32 k = key;
	__u64 *v = bpf_map_lookup_percpu_elem(&percpu_array, &k, (__u32)flags);

	result = v ? 0 : -1;
	found = v ? *v : 0;
	return 0;
}

/* Moves `value` from left to right, under the lock. */
SEC("tc")
int transfer(struct __sk_buff *skb)
{
	__u32 k = key;
	struct locked *balance = bpf_map_lookup_elem(&balances, &k);

	if (!balance)
		return 1;
	bpf_spin_lock(&balance->lock);
	balance->left -= (__u32)value;
	balance->right += (__u32)value;
	bpf_spin_unlock(&balance->lock);
	return 0;
}

struct walk {
	__u64 keys;
	__u64 values;
	__u64 stop_at;
};

static long add_up(void *map, __u32 *k, __u64 *v, struct walk *walk)
{
	walk->keys += *k;
	walk->values += *v;
	return walk->stop_at && walk->values >= walk->stop_at;
}

__u64 sum_of_keys;
__u64 sum_of_values;

#define FOR_EACH(map)												\
	SEC("tc")												\
	int each_##map(struct __sk_buff *skb)									\
	{													\
		struct walk walk = { .stop_at = value };							\
		result = bpf_for_each_map_elem(&map, add_up, &walk, 0);						\
		sum_of_keys = walk.keys;									\
		sum_of_values = walk.values;									\
		return 0;											\
	}

FOR_EACH(hash)
FOR_EACH(array)
FOR_EACH(percpu_array)

static long remove(void *map, __u32 *k, __u64 *v, void *context)
{
	__u32 copy = *k;

	if (*v & 1)
		bpf_map_delete_elem(map, &copy);
	return 0;
}

SEC("tc")
int remove_odd(struct __sk_buff *skb)
{
	result = bpf_for_each_map_elem(&hash, remove, 0, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
