// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that no verifier would let through: each does with maps what it must not. Only for the vm. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} array SEC(".maps");

/* A record's header as it would be, in the middle of a record. */
SEC("tc") int submit_middle(struct __sk_buff *skb)
{
	__u32 *record = bpf_ringbuf_reserve(&ring, 64, 0);

	if (!record)
		return 1;
	record[4] = 0x80000008;
	record[5] = (__u32)(unsigned long)&ring;
	bpf_ringbuf_submit(record + 6, 0);
	return 0;
}

SEC("tc") int submit_twice(struct __sk_buff *skb)
{
	void *record = bpf_ringbuf_reserve(&ring, 64, 0);

	bpf_ringbuf_submit(record, 0);
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("tc") int submit_stack(struct __sk_buff *skb)
{
	volatile __u32 fake[4] = { 0x80000008, (__u32)(unsigned long)&ring, 0, 0 };

	bpf_ringbuf_submit((void *)(fake + 2), 0);
	return 0;
}

/* The array's struct pretends to be the ring's. */
SEC("tc") int submit_to_array(struct __sk_buff *skb)
{
	volatile __u32 fake[4] = { 0x80000008, (__u32)(unsigned long)&array, 0, 0 };

	bpf_ringbuf_submit((void *)(fake + 2), 0);
	return 0;
}

SEC("tc") int submit_wild(struct __sk_buff *skb)
{
	bpf_ringbuf_submit((void *)0xffffffffffff0000, 0);
	return 0;
}

SEC("tc") int write_after_submit(struct __sk_buff *skb)
{
	volatile __u64 *record = bpf_ringbuf_reserve(&ring, 64, 0);

	if (!record)
		return 1;
	bpf_ringbuf_submit((void *)record, 0);
	record[0] = 1;
	return 0;
}

SEC("tc") int write_header(struct __sk_buff *skb)
{
	volatile __u32 *record = bpf_ringbuf_reserve(&ring, 64, 0);

	if (!record)
		return 1;
	record[-1] = 0;
	return 0;
}

SEC("tc") int keep_record(struct __sk_buff *skb)
{
	volatile __u64 *record = bpf_ringbuf_reserve(&ring, 64, 0);

	if (!record)
		return 1;
	*(volatile __u64 *)0 = 1;
	return 0;
}

SEC("tc") int send(struct __sk_buff *skb)
{
	__u64 value = 1;

	return bpf_ringbuf_output(&ring, &value, 8, 0);
}

static long write_key(void *map, __u32 *key, __u64 *value, void *context)
{
	*key = 77;
	return 0;
}

SEC("tc") int change_key(struct __sk_buff *skb)
{
	__u32 key = 1;
	__u64 value = 1;

	bpf_map_update_elem(&hash, &key, &value, BPF_ANY);
	return bpf_for_each_map_elem(&hash, write_key, 0, 0);
}

SEC("tc") int write_before_value(struct __sk_buff *skb)
{
	__u32 key = 1;
	__u64 value = 1;
	volatile __u64 *found;

	bpf_map_update_elem(&hash, &key, &value, BPF_ANY);
	found = bpf_map_lookup_elem(&hash, &key);
	if (found)
		found[-1] = 5;
	return 0;
}

SEC("tc") int write_past_array(struct __sk_buff *skb)
{
	__u32 key = 3;
	volatile __u64 *found = bpf_map_lookup_elem(&array, &key);

	if (found)
		found[1] = 5;
	return 0;
}

SEC("tc") int wild_key(struct __sk_buff *skb)
{
	__u64 value = 1;

	return bpf_map_update_elem(&hash, (void *)0xfffffffffffffff0, &value, BPF_ANY);
}

SEC("tc") int wild_value(struct __sk_buff *skb)
{
	__u32 key = 1;

	return bpf_map_update_elem(&hash, &key, (void *)0xfffffffffffffff0, BPF_ANY);
}

/* A map that the program made up. */
SEC("tc") int wild_map(struct __sk_buff *skb)
{
	__u32 key = 1;
	void *map = (void *)(unsigned long)(skb->len * 4096);

	return bpf_map_lookup_elem(map, &key) != 0;
}

char _license[] SEC("license") = "GPL";
