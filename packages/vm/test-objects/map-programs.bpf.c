// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that use maps of every kind and note what comes out, for the kernel and for the vm to agree about. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define MAP(map_name, map_type, entries, key_type, value_type)                                                         \
	struct {                                                                                                       \
		__uint(type, map_type);                                                                                \
		__uint(max_entries, entries);                                                                          \
		__type(key, key_type);                                                                                 \
		__type(value, value_type);                                                                             \
	} map_name SEC(".maps")

MAP(hash, BPF_MAP_TYPE_HASH, 8, __u32, __u64);
MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, 8, __u32, __u64);
MAP(lru, BPF_MAP_TYPE_LRU_HASH, 64, __u32, __u64);
MAP(array, BPF_MAP_TYPE_ARRAY, 8, __u32, __u64);
MAP(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, 8, __u32, __u64);

struct prefix {
	__u32 length;
	__u8 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 8);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u64);
} trie SEC(".maps");

#define KEYLESS(map_name, map_type, entries)                                                                           \
	struct {                                                                                                       \
		__uint(type, map_type);                                                                                \
		__uint(max_entries, entries);                                                                          \
		__type(value, __u64);                                                                                  \
	} map_name SEC(".maps")

KEYLESS(queue, BPF_MAP_TYPE_QUEUE, 2);
KEYLESS(stack, BPF_MAP_TYPE_STACK, 2);
KEYLESS(bloom, BPF_MAP_TYPE_BLOOM_FILTER, 100);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
} perf SEC(".maps");

struct locked {
	__u32 before;
	struct bpf_spin_lock lock;
	__u64 after;
};

MAP(balances, BPF_MAP_TYPE_HASH, 4, __u32, struct locked);
MAP(balance, BPF_MAP_TYPE_ARRAY, 1, __u32, struct locked);

struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps"), second SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { [1] = &first, [3] = &second },
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer_hash SEC(".maps") = {
	.values = { [7] = &first },
};

int jumped(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, int(struct __sk_buff *));
} jumps SEC(".maps") = {
	.values = { [2] = jumped },
};

/* What came out, in order. */
__s64 noted[64];
__u32 count;
__u32 last_visited;

static __attribute__((always_inline)) void note(__s64 what)
{
	__u64 at = count;

	if (at >= 64)
		return;
	/* Old verifiers forget the bound where much has happened since. */
	asm volatile("%[at] &= 63" : [at] "+r"(at));
	noted[at] = what;
	count = at + 1;
}

static __attribute__((always_inline)) __s64 content(const __u64 *value)
{
	return value ? (__s64)*value : -1;
}

#define LOOKUP(map, key) content(bpf_map_lookup_elem(&map, &(__u32){ key }))
#define UPDATE(map, key, value, flags) bpf_map_update_elem(&map, &(__u32){ key }, &(__u64){ value }, flags)
#define DELETE(map, key) bpf_map_delete_elem(&map, &(__u32){ key })

SEC("tc") int use_hash(struct __sk_buff *skb)
{
	__u64 *old, *new;

	note(LOOKUP(hash, 5));
	note(UPDATE(hash, 5, 50, BPF_ANY));
	note(UPDATE(hash, 5, 51, BPF_NOEXIST));
	note(UPDATE(hash, 6, 60, BPF_EXIST));
	note(UPDATE(hash, 6, 60, 7));
	note(UPDATE(hash, 6, 60, BPF_F_LOCK));
	note(LOOKUP(hash, 5));
	/* A pointer from before shows the value from before. */
	old = bpf_map_lookup_elem(&hash, &(__u32){ 5 });
	note(UPDATE(hash, 5, 52, BPF_EXIST));
	note(content(old));
	new = bpf_map_lookup_elem(&hash, &(__u32){ 5 });
	if (new)
		__sync_fetch_and_add(new, 8);
	note(LOOKUP(hash, 5));
	for (__u32 i = 0; i < 8; i++)
		note(UPDATE(hash, 10 + i, i, BPF_ANY));
	note(UPDATE(hash, 5, 61, BPF_ANY));
	note(DELETE(hash, 5));
	note(DELETE(hash, 5));
	note(LOOKUP(hash, 5));
	note(UPDATE(hash, 99, 1, BPF_NOEXIST));
	return 0;
}

SEC("tc") int use_percpu(struct __sk_buff *skb)
{
	__u32 cpu = bpf_get_smp_processor_id(), key = 3;

	note(UPDATE(percpu_hash, 3, 30, BPF_ANY));
	note(UPDATE(percpu_hash, 3, 31, BPF_NOEXIST));
	note(LOOKUP(percpu_hash, 3));
	note(content(bpf_map_lookup_percpu_elem(&percpu_hash, &key, cpu)));
	note(content(bpf_map_lookup_percpu_elem(&percpu_hash, &key, 100000)));
	note(UPDATE(percpu_array, 3, 33, BPF_ANY));
	note(LOOKUP(percpu_array, 3));
	note(content(bpf_map_lookup_percpu_elem(&percpu_array, &key, cpu)));
	note(content(bpf_map_lookup_percpu_elem(&percpu_array, &key, 100000)));
	note(DELETE(percpu_hash, 3));
	note(DELETE(percpu_array, 3));
	return 0;
}

SEC("tc") int use_array(struct __sk_buff *skb)
{
	note(LOOKUP(array, 7));
	note(LOOKUP(array, 8));
	note(UPDATE(array, 7, 70, BPF_ANY));
	note(UPDATE(array, 7, 71, BPF_NOEXIST));
	note(UPDATE(array, 7, 72, BPF_EXIST));
	note(UPDATE(array, 8, 80, BPF_ANY));
	note(UPDATE(array, 8, 80, 3));
	note(DELETE(array, 7));
	note(LOOKUP(array, 7));
	return 0;
}

/* Keys that are looked up stay, whatever else comes. */
SEC("tc") int use_lru(struct __sk_buff *skb)
{
	for (__u32 i = 0; i < 1000; i++) {
		UPDATE(lru, i, i, BPF_ANY);
		bpf_map_lookup_elem(&lru, &(__u32){ 0 });
	}
	note(LOOKUP(lru, 0));
	note(LOOKUP(lru, 999));
	note(LOOKUP(lru, 500));
	note(UPDATE(lru, 0, 1, BPF_NOEXIST));
	note(UPDATE(lru, 5000, 1, BPF_EXIST));
	note(DELETE(lru, 0));
	note(DELETE(lru, 0));
	return 0;
}

#define PREFIX(bits, a, b, c, d) (&(struct prefix){ bits, { a, b, c, d } })

SEC("tc") int use_trie(struct __sk_buff *skb)
{
	note(bpf_map_update_elem(&trie, PREFIX(8, 10, 0, 0, 0), &(__u64){ 1 }, BPF_ANY));
	note(bpf_map_update_elem(&trie, PREFIX(16, 10, 1, 0, 0), &(__u64){ 2 }, BPF_ANY));
	note(bpf_map_update_elem(&trie, PREFIX(33, 10, 1, 0, 0), &(__u64){ 2 }, BPF_ANY));
	note(content(bpf_map_lookup_elem(&trie, PREFIX(32, 10, 1, 2, 3))));
	note(content(bpf_map_lookup_elem(&trie, PREFIX(32, 10, 2, 2, 3))));
	note(content(bpf_map_lookup_elem(&trie, PREFIX(32, 11, 2, 2, 3))));
	note(bpf_map_delete_elem(&trie, PREFIX(16, 10, 1, 0, 0)));
	note(bpf_map_delete_elem(&trie, PREFIX(16, 10, 1, 0, 0)));
	note(bpf_map_delete_elem(&trie, PREFIX(77, 10, 1, 0, 0)));
	note(content(bpf_map_lookup_elem(&trie, PREFIX(32, 10, 1, 2, 3))));
	return 0;
}

#define USE_KEYLESS(map)                                                                                               \
	do {                                                                                                           \
		__u64 got = 77;                                                                                        \
		note(bpf_map_peek_elem(&map, &got));                                                                   \
		note(got);                                                                                             \
		note(bpf_map_push_elem(&map, &(__u64){ 1 }, BPF_ANY));                                                 \
		note(bpf_map_push_elem(&map, &(__u64){ 2 }, BPF_ANY));                                                 \
		note(bpf_map_push_elem(&map, &(__u64){ 3 }, BPF_ANY));                                                 \
		note(bpf_map_push_elem(&map, &(__u64){ 3 }, BPF_NOEXIST));                                             \
		note(bpf_map_push_elem(&map, &(__u64){ 3 }, BPF_EXIST));                                               \
		note(bpf_map_pop_elem(&map, &got));                                                                    \
		note(got);                                                                                             \
		note(bpf_map_peek_elem(&map, &got));                                                                   \
		note(got);                                                                                             \
		note(bpf_map_pop_elem(&map, &got));                                                                    \
		note(bpf_map_pop_elem(&map, &got));                                                                    \
		note(got);                                                                                             \
	} while (0)

SEC("tc") int use_keyless(struct __sk_buff *skb)
{
	__u64 value = 42;

	USE_KEYLESS(queue);
	USE_KEYLESS(stack);
	note(bpf_map_peek_elem(&bloom, &value));
	note(bpf_map_push_elem(&bloom, &value, BPF_ANY));
	note(bpf_map_push_elem(&bloom, &value, BPF_EXIST));
	note(bpf_map_peek_elem(&bloom, &value));
	return 0;
}

SEC("tc") int use_ring(struct __sk_buff *skb)
{
	__u64 *record;
	__u64 value = 5;

	record = bpf_ringbuf_reserve(&ring, 16, 0);
	if (record) {
		record[0] = 1;
		record[1] = 2;
		bpf_ringbuf_submit(record, 0);
	}
	record = bpf_ringbuf_reserve(&ring, 8, 0);
	if (record)
		bpf_ringbuf_discard(record, 0);
	note(bpf_ringbuf_output(&ring, &value, 5, 0));
	note(bpf_ringbuf_output(&ring, &value, 8, 99));
	note(bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA));
	note(bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE));
	note(bpf_ringbuf_query(&ring, BPF_RB_CONS_POS));
	note(bpf_ringbuf_query(&ring, BPF_RB_PROD_POS));
	note(bpf_ringbuf_query(&ring, 77));
	record = bpf_ringbuf_reserve(&ring, 8192, 0);
	note(record == 0);
	if (record)
		bpf_ringbuf_discard(record, 0);
	return 0;
}

/* Fills the ring, some bytes at a time. */
SEC("tc") int fill_ring(struct __sk_buff *skb)
{
	__u64 value[15] = { 9 };

	for (int i = 0; i < 40; i++)
		note(bpf_ringbuf_output(&ring, value, 120, BPF_RB_NO_WAKEUP));
	return 0;
}

SEC("tc") int use_perf(struct __sk_buff *skb)
{
	__u64 value = 0x1122334455667788;

	note(bpf_perf_event_output(skb, &perf, BPF_F_CURRENT_CPU, &value, 8));
	note(bpf_perf_event_output(skb, &perf, BPF_F_CURRENT_CPU, &value, 5));
	note(bpf_perf_event_output(skb, &perf, 100000, &value, 8));
	return 0;
}

/* With bytes of the packet behind the data. */
SEC("tc") int use_perf_packet(struct __sk_buff *skb)
{
	__u16 value = 0x1122;

	note(bpf_perf_event_output(skb, &perf, BPF_F_CURRENT_CPU | 5ULL << 32, &value, 2));
	note(bpf_perf_event_output(skb, &perf, BPF_F_CURRENT_CPU | (__u64)skb->len << 32, &value, 2));
	note(bpf_perf_event_output(skb, &perf, BPF_F_CURRENT_CPU | ((__u64)skb->len + 1) << 32, &value, 2));
	note(bpf_perf_event_output(skb, &perf, BPF_F_CURRENT_CPU | 1ULL << 60, &value, 2));
	return 0;
}

/* No packet: bpf_perf_event_output of a tracing program. */
SEC("raw_tp/sys_enter") int use_perf_traced(void *ctx)
{
	__u16 value = 0x1122;

	note(bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &value, 2));
	note(bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU | 1ULL << 32, &value, 2));
	return 0;
}

static long visit(void *map, __u32 *key, __u64 *value, __u64 *sum)
{
	*sum += *value;
	*value += 1;
	last_visited = *key;
	return *key == 4;
}

SEC("tc") int use_for_each(struct __sk_buff *skb)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < 3; i++) {
		UPDATE(hash, 100 + i, 1000, BPF_ANY);
		UPDATE(percpu_hash, 100 + i, 10, BPF_ANY);
	}
	note(bpf_for_each_map_elem(&hash, visit, &sum, 0));
	note(sum);
	note(LOOKUP(hash, 101));
	note(bpf_for_each_map_elem(&percpu_hash, visit, &sum, 0));
	note(sum);
	note(bpf_for_each_map_elem(&array, visit, &sum, 0));
	note(last_visited);
	note(LOOKUP(array, 3));
	note(LOOKUP(array, 5));
	note(bpf_for_each_map_elem(&percpu_array, visit, &sum, 0));
	note(bpf_for_each_map_elem(&array, visit, &sum, 1));
	return 0;
}

static long remove(void *map, __u32 *key, __u64 *value, void *context)
{
	__u32 copy = *key;

	bpf_map_delete_elem(map, &copy);
	return 0;
}

SEC("tc") int remove_each(struct __sk_buff *skb)
{
	for (__u32 i = 0; i < 8; i++)
		UPDATE(hash, i, i, BPF_ANY);
	note(bpf_for_each_map_elem(&hash, remove, 0, 0));
	note(bpf_for_each_map_elem(&hash, remove, 0, 0));
	note(UPDATE(hash, 1, 1, BPF_NOEXIST));
	return 0;
}

static __attribute__((always_inline)) void use_inner(void *map)
{
	__u32 key = 9;
	__u64 value = 90;

	if (!map) {
		note(-1);
		return;
	}
	note(content(bpf_map_lookup_elem(map, &key)));
	note(bpf_map_update_elem(map, &key, &value, BPF_NOEXIST));
	note(content(bpf_map_lookup_elem(map, &key)));
	note(bpf_map_delete_elem(map, &(__u32){ 77 }));
}

SEC("tc") int use_outer(struct __sk_buff *skb)
{
	use_inner(bpf_map_lookup_elem(&outer, &(__u32){ 0 }));
	use_inner(bpf_map_lookup_elem(&outer, &(__u32){ 1 }));
	use_inner(bpf_map_lookup_elem(&outer, &(__u32){ 3 }));
	use_inner(bpf_map_lookup_elem(&outer, &(__u32){ 4 }));
	use_inner(bpf_map_lookup_elem(&outer_hash, &(__u32){ 7 }));
	use_inner(bpf_map_lookup_elem(&outer_hash, &(__u32){ 8 }));
	return 0;
}

SEC("tc") int jumped(struct __sk_buff *skb)
{
	note(1234);
	return 56;
}

SEC("tc") int use_jumps(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &jumps, 9);
	bpf_tail_call(skb, &jumps, 1);
	note(1);
	bpf_tail_call(skb, &jumps, 2);
	note(2);
	return 0;
}

SEC("tc") int use_locks(struct __sk_buff *skb)
{
	struct locked value = { .before = 1, .after = 2 }, *found;
	__u32 key = 0;

	note(bpf_map_update_elem(&balances, &key, &value, BPF_F_LOCK));
	value.after = 3;
	note(bpf_map_update_elem(&balances, &key, &value, BPF_F_LOCK | BPF_NOEXIST));
	note(bpf_map_update_elem(&balances, &key, &value, BPF_F_LOCK | BPF_EXIST));
	found = bpf_map_lookup_elem(&balances, &key);
	if (found) {
		bpf_spin_lock(&found->lock);
		found->after += 10;
		bpf_spin_unlock(&found->lock);
		note(found->after);
		note(found->before);
	}
	value.after = 4;
	note(bpf_map_update_elem(&balances, &key, &value, BPF_ANY));
	note(bpf_map_update_elem(&balance, &key, &value, BPF_F_LOCK));
	found = bpf_map_lookup_elem(&balance, &key);
	note(found ? found->after : -1);
	key = 1;
	note(bpf_map_update_elem(&balances, &key, &value, BPF_F_LOCK | BPF_EXIST));
	note(bpf_map_update_elem(&balance, &key, &value, BPF_F_LOCK));
	return 0;
}

char _license[] SEC("license") = "GPL";
