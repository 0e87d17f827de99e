// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps with operations of their own, and programs that use them the moment that they are run. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct locked {
	struct bpf_spin_lock lock;
	__u32 left;
	__u32 right;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct locked);
} balances SEC(".maps");

#define KEYLESS(map_name, map_type)                                                                                    \
	struct {                                                                                                       \
		__uint(type, map_type);                                                                                \
		__uint(max_entries, 3);                                                                                \
		__type(value, __u64);                                                                                  \
	} map_name SEC(".maps")

KEYLESS(queue, BPF_MAP_TYPE_QUEUE);
KEYLESS(stack, BPF_MAP_TYPE_STACK);

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 1000);
	__uint(map_extra, 3);
	__type(value, __u64);
} bloom SEC(".maps");

struct sample {
	__u64 count;
	__u32 size;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1000);
	__type(key, __u32);
	__type(value, struct sample);
} shared SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct sample);
} first SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 8);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { [5] = &first },
};

int target(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, int(struct __sk_buff *));
} jumps SEC(".maps") = {
	.values = { [3] = target },
};

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64[16]);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} orders SEC(".maps");

__u64 wide = 1;
__u32 narrow = 2;
__u16 half = 3;
struct sample pair = { 4, 5 };
const volatile __u32 constant = 7;
__s64 stack_id = -1;

/* Adds 1 to every variable and to the shared array. */
SEC("socket")
int count(struct __sk_buff *skb)
{
	__u32 index = 999;
	struct sample *sample = bpf_map_lookup_elem(&shared, &index);

	wide++;
	narrow++;
	half++;
	pair.count++;
	pair.size++;
	if (sample)
		sample->count++;
	return (int)narrow;
}

/* The sample under key 1 of the map under key 5. */
SEC("socket")
int read_inner(struct __sk_buff *skb)
{
	__u32 outer_key = 5, key = 1;
	void *map = bpf_map_lookup_elem(&outer, &outer_key);
	struct sample *sample = map ? bpf_map_lookup_elem(map, &key) : 0;

	return sample ? (int)sample->size : -1;
}

SEC("socket")
int jump(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &jumps, 3);
	return 1;
}

SEC("?socket")
int target(struct __sk_buff *skb)
{
	return 77;
}

/* Shortens the packet by what stands in the context, and says how long it was. */
SEC("tc")
int cut(struct __sk_buff *skb)
{
	int length = (int)skb->len;

	skb->cb[0] = skb->mark + 1;
	bpf_skb_change_tail(skb, skb->len - skb->mark, 0);
	return length;
}

SEC("raw_tp/sched_switch")
int trace_stack(void *ctx)
{
	stack_id = bpf_get_stackid(ctx, &stacks, 0);
	return 0;
}

static __u64 sum;

static long add(struct bpf_dynptr *order, void *context)
{
	__u64 number = 0;

	if (!bpf_dynptr_read(&number, sizeof(number), order, 0, 0))
		sum += number;
	return 0;
}

/* The sum of all orders ever, each taken once. */
SEC("socket")
int take_orders(struct __sk_buff *skb)
{
	bpf_user_ringbuf_drain(&orders, add, 0, BPF_RB_NO_WAKEUP);
	return (int)sum;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
