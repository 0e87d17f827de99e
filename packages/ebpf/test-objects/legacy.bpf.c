// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps and a kernel version as objects had them before BTF. */
#include <linux/bpf.h>
#include <linux/version.h>
#include <bpf/bpf_helpers.h>

struct bpf_map_def {
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
};

/* As iproute2 had it; nothing beyond the five fields is set. */
struct longer_map_def {
	struct bpf_map_def known;
	__u32 inner_map_idx;
	__u32 numa_node;
};

struct bpf_map_def SEC("maps") counters = {
	.type = BPF_MAP_TYPE_HASH,
	.key_size = 4,
	.value_size = 8,
	.max_entries = 16,
	.map_flags = BPF_F_NO_PREALLOC,
};

struct bpf_map_def SEC("maps") totals = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = 4,
	.value_size = 8,
	.max_entries = 1,
};

struct longer_map_def SEC("maps/longer") longer = {
	.known = {
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 2,
	},
};

SEC("socket")
int count(struct __sk_buff *packet)
{
	__u32 key = 0;
	__u64 one = 1;
	__u64 *total = bpf_map_lookup_elem(&totals, &key);

	if (total)
		*total += 5;
	bpf_map_update_elem(&counters, &key, &one, BPF_ANY);
	return bpf_map_lookup_elem(&longer, &key) ? 3 : 0;
}

__u32 _version SEC("version") = KERNEL_VERSION(6, 1, 2);
char LICENSE[] SEC("license") = "GPL";
