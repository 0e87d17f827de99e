// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <skep/bpf.h>

/* What a price is made of; both numbers change together or not at all. */
struct config {
	__u32 price;
	__u32 tax;
};

struct version {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct config);
} winter SEC(".maps"), summer SEC(".maps");

/* The version in force. A program that looks it up keeps it until it is done. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct version);
} current SEC(".maps") = { .values = { &winter } };

SEC("tc")
int total(struct __sk_buff *skb)
{
	__u32 key = 0;
	void *version = bpf_map_lookup_elem(&current, &key);
	struct config *config = version ? bpf_map_lookup_elem(version, &key) : 0;

	return config ? config->price + config->price * config->tax / 100 : 0;
}

char LICENSE[] SEC("license") = "GPL";
