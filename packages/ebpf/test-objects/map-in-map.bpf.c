// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A map of maps and an array of programs, both with contents; one of the maps is static. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} inner SEC(".maps");

static struct inner hidden SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { [0] = &inner, [2] = &hidden },
};

int target(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, int(struct __sk_buff *));
} jumps SEC(".maps") = {
	.values = { [3] = target },
};

/* Returns the number in the map at index 2, unless the jump to index 3 is taken. */
SEC("socket")
int start(struct __sk_buff *skb)
{
	__u32 index = 2, zero = 0;
	void *map = bpf_map_lookup_elem(&outer, &index);
	__u32 *value = map ? bpf_map_lookup_elem(map, &zero) : 0;

	if (skb->len > 100)
		bpf_tail_call(skb, &jumps, 3);
	return value ? *value : -1;
}

SEC("?socket")
int target(struct __sk_buff *skb)
{
	return 77;
}

char LICENSE[] SEC("license") = "GPL";
