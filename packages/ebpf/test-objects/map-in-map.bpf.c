// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A map of maps, which is refused. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { &inner },
};

char LICENSE[] SEC("license") = "GPL";
