// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One map of each type that has keys, with typed keys and values, and a program that counts by CPU. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct key {
	__u32 id;
	__u16 port;
};

struct value {
	__u64 packets;
	__s32 balance;
	char name[12];
};

struct prefix {
	__u32 length;
	__u8 address[4];
};

#define DECLARE(map_name, map_type, key_type)                                                                          \
	struct {                                                                                                       \
		__uint(type, map_type);                                                                                \
		__uint(max_entries, 512);                                                                              \
		__type(key, key_type);                                                                                 \
		__type(value, struct value);                                                                           \
	} map_name SEC(".maps")

DECLARE(hash, BPF_MAP_TYPE_HASH, struct key);
DECLARE(array, BPF_MAP_TYPE_ARRAY, __u32);
DECLARE(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, struct key);
DECLARE(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, __u32);
DECLARE(lru_hash, BPF_MAP_TYPE_LRU_HASH, struct key);
DECLARE(lru_percpu_hash, BPF_MAP_TYPE_LRU_PERCPU_HASH, struct key);

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 512);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, struct value);
} lpm_trie SEC(".maps");

const volatile __u32 constant = 7;

SEC("socket")
int count_here(struct __sk_buff *skb)
{
	__u32 index = 0;
	struct value *value = bpf_map_lookup_elem(&percpu_array, &index);

	if (value)
		value->packets++;
	return (int)constant;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
