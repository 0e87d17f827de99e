// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Engine suite: a map of each type that has keys of its own, and no program. */
#include <skep/bpf.h>

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

struct locked {
	struct bpf_spin_lock lock;
	__u32 left;
	__u32 right;
};

struct sample {
	__u64 count;
	__u32 size;
};

#define DECLARE(map_name, map_type, entries, key_type)								\
	struct {												\
		__uint(type, map_type);										\
		__uint(max_entries, entries);									\
		__type(key, key_type);										\
		__type(value, struct value);									\
	} map_name SEC(".maps")

DECLARE(hash, BPF_MAP_TYPE_HASH, 64, struct key);
DECLARE(array, BPF_MAP_TYPE_ARRAY, 8, __u32);
DECLARE(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, 16, struct key);
DECLARE(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, 4, __u32);
DECLARE(lru_hash, BPF_MAP_TYPE_LRU_HASH, 64, __u32);
DECLARE(lru_percpu_hash, BPF_MAP_TYPE_LRU_PERCPU_HASH, 64, __u32);

/* Values of 12 bytes: a slot of each CPU has 16, an element of a mapping too. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32[3]);
} percpu_uneven SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u32);
} lpm_trie SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct locked);
} locked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 100);
	__type(key, __u32);
	__type(value, struct sample);
} mapped SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 20);
	__type(key, __u32);
	__type(value, __u32[3]);
} mapped_uneven SEC(".maps");
