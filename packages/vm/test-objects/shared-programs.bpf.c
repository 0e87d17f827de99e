// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that several workers run at the same time over the same maps. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define MAP(map_name, map_type, entries)                                                                               \
	struct {                                                                                                       \
		__uint(type, map_type);                                                                                \
		__uint(max_entries, entries);                                                                          \
		__type(key, __u32);                                                                                    \
		__type(value, __u64);                                                                                  \
	} map_name SEC(".maps")

MAP(array, BPF_MAP_TYPE_ARRAY, 2);
MAP(hash, BPF_MAP_TYPE_HASH, 4);
MAP(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, 1);
MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, 4);
MAP(churned, BPF_MAP_TYPE_HASH, 64);
MAP(balance, BPF_MAP_TYPE_PERCPU_ARRAY, 1);
MAP(sequence, BPF_MAP_TYPE_PERCPU_ARRAY, 1);

struct balanced {
	struct bpf_spin_lock lock;
	__u32 up;
	__u64 down;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct balanced);
} locked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps"), second SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { [0] = &first },
};

int landed(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, int (struct __sk_buff *));
} programs SEC(".maps") = {
	.values = { [0] = (void *)&landed },
};

struct record {
	__u32 cpu;
	__u32 number;
};

/* The data section: made once, not once a worker. */
__u64 global = 1000;

#define VALUE_OF(key) ((__u64)(key) * 0x100000001)

SEC("tc") int count(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u64 none = 0, *value;

	value = bpf_map_lookup_elem(&array, &key);
	if (value)
		__sync_fetch_and_add(value, 1);
	value = bpf_map_lookup_elem(&hash, &key);
	if (!value) {
		bpf_map_update_elem(&hash, &key, &none, BPF_NOEXIST);
		value = bpf_map_lookup_elem(&hash, &key);
	}
	if (value)
		__sync_fetch_and_add(value, 1);
	value = bpf_map_lookup_elem(&percpu_array, &key);
	if (value)
		++*value;
	value = bpf_map_lookup_elem(&percpu_hash, &key);
	if (value)
		++*value;
	else
		bpf_map_update_elem(&percpu_hash, &key, &none, BPF_NOEXIST);
	__sync_fetch_and_add(&global, 1);
	return bpf_get_smp_processor_id();
}

/* Changes two members together, not by atomic instructions. */
SEC("tc") int change_locked(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct balanced *value = bpf_map_lookup_elem(&locked, &key);

	if (!value)
		return 1;
	bpf_spin_lock(&value->lock);
	value->up++;
	value->down--;
	bpf_spin_unlock(&value->lock);
	return 0;
}

/* Puts in and takes out keys of its own and keys of everybody's, and keeps the balance. */
SEC("tc") int churn(struct __sk_buff *skb)
{
	__u32 zero = 0, random = bpf_get_prandom_u32(), cpu = bpf_get_smp_processor_id();
	__u32 key = random & 1 ? 100 + cpu * 8 + (random >> 1) % 8 : (random >> 1) % 16;
	__u64 value = VALUE_OF(key), *entries = bpf_map_lookup_elem(&balance, &zero);

	if (!entries)
		return 1;
	switch ((random >> 8) % 4) {
	case 0:
		if (bpf_map_delete_elem(&churned, &key) == 0)
			--*entries;
		break;
	case 1:
		if (bpf_map_update_elem(&churned, &key, &value, BPF_NOEXIST) == 0)
			++*entries;
		break;
	case 2:
		bpf_map_update_elem(&churned, &key, &value, BPF_EXIST);
		break;
	default:
		bpf_map_lookup_elem(&churned, &key);
	}
	return 0;
}

/* Sends the next record of its worker; 1 when there is no room. */
SEC("tc") int send(struct __sk_buff *skb)
{
	__u32 zero = 0;
	__u64 *number = bpf_map_lookup_elem(&sequence, &zero);
	struct record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);

	if (!record)
		return 1;
	record->cpu = bpf_get_smp_processor_id();
	record->number = number ? (*number)++ : 0;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("tc") int through_outer(struct __sk_buff *skb)
{
	__u32 key = 0;
	void *inner = bpf_map_lookup_elem(&outer, &key);
	__u64 *value = inner ? bpf_map_lookup_elem(inner, &key) : 0;

	if (!value)
		return 0;
	__sync_fetch_and_add(value, 1);
	return 1;
}

SEC("tc") int landed(struct __sk_buff *skb)
{
	return 40 + bpf_get_smp_processor_id();
}

SEC("tc") int jump(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &programs, 0);
	return 0;
}

/* Reserves a record, says so, and never ends. */
SEC("tc") int hang(struct __sk_buff *skb)
{
	__u32 one = 1;
	__u64 *value = bpf_map_lookup_elem(&array, &one);
	void *record = bpf_ringbuf_reserve(&ring, 64, 0);

	if (!value || !record)
		return 1;
	for (;;)
		__sync_fetch_and_add(value, 1);
}

char _license[] SEC("license") = "GPL";
