// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The maps of the `maps` benchmark; maps.c makes the same by their numbers. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define ENTRIES 10000

struct lpm_key {
	__u32 prefix;
	__u32 address;
};

#define MAP(kind, name, entries)                                                                                       \
	struct {                                                                                                       \
		__uint(type, kind);                                                                                    \
		__uint(max_entries, entries);                                                                          \
		__type(key, __u32);                                                                                    \
		__type(value, __u64);                                                                                  \
	} name SEC(".maps")

MAP(BPF_MAP_TYPE_HASH, hash, ENTRIES);
MAP(BPF_MAP_TYPE_HASH, many, 1000000);
MAP(BPF_MAP_TYPE_ARRAY, array, ENTRIES);
MAP(BPF_MAP_TYPE_LRU_HASH, lru, 4 * ENTRIES);
MAP(BPF_MAP_TYPE_PERCPU_HASH, per_cpu, ENTRIES);

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ENTRIES);
	__type(key, struct lpm_key);
	__type(value, __u64);
} lpm SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, ENTRIES);
	__type(value, __u64);
} queue SEC(".maps");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
