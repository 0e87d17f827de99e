// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Linked with join-two.bpf.c: what it declares is defined there, and the other way around. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct packet {
	__u32 length;
	__u32 mark;
};

extern int scale(const struct packet *packet);
extern int shared;
extern const volatile int limit;
extern int table[];
__hidden extern int hidden_there(int value);

/* Both objects have these, each its own. */
static volatile int calls = 100;
static __noinline int twist(int value)
{
	return value * 2 + calls;
}

int own = 7;
int zeroes[3];
__weak int weak_here = 1;

/* The other object's takes its place. */
__weak int chosen(void)
{
	return 1;
}

/* Its own stays: the other object's is weak too. */
__weak int first_counts(void)
{
	return 10;
}

static long add_one(__u32 index, void *context)
{
	*(int *)context += 1;
	return 0;
}

SEC("socket")
int sum(struct __sk_buff *packet)
{
	struct packet described = { .length = packet->len, .mark = 5 };
	int looped = 0;

	bpf_loop(3, add_one, &looped, 0);
	calls++;
	zeroes[1]++;
	return scale(&described) + twist(1) + chosen() + first_counts() + hidden_there(2) + shared + limit + table[2] +
	       looped + own + weak_here;
}

SEC("tc")
int count(struct __sk_buff *packet)
{
	__u32 key = 1;
	__u64 *value = bpf_map_lookup_elem(&counts, &key);

	if (value)
		*value += 1;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
