// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that the verifier refuses, each for one reason: what its logs look like is tested with them. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct counted {
	__u64 hits;
	__u64 bytes[4];
};

struct guarded {
	struct bpf_spin_lock lock;
	__u32 value;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counted);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counted);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guarded);
} locked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

const volatile __u32 constant = 1;

/* A field that no kernel has. */
struct task_struct {
	int no_such_field;
} __attribute__((preserve_access_index));

SEC("?socket")
int null_dereference(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct counted *counted = bpf_map_lookup_elem(&flows, &key);

	counted->hits++;
	return 0;
}

SEC("?xdp")
int packet_bounds(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;

	return data[14] == 0x45 ? XDP_DROP : XDP_PASS;
}

SEC("?socket")
int unbounded_index(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct counted *counted = bpf_map_lookup_elem(&counts, &key);

	if (!counted)
		return 0;
	return counted->bytes[skb->len];
}

SEC("?socket")
int value_overrun(struct __sk_buff *skb)
{
	__u32 key = 0;
	char *counted = bpf_map_lookup_elem(&counts, &key);

	if (!counted)
		return 0;
	return *(__u32 *)(counted + sizeof(struct counted));
}

SEC("?socket")
int negative_size(struct __sk_buff *skb)
{
	char header[16] = {};
	__s32 size = skb->len;

	if (size > 16)
		return 0;
	return bpf_skb_load_bytes(skb, 0, header, size);
}

SEC("?socket")
__attribute__((naked)) int endless_loop(void)
{
	asm volatile("r0 = 0; r6 = 0; 1: if r6 == 1 goto 2f; goto 1b; 2: exit;");
}

SEC("?socket")
int unknown_helper(struct __sk_buff *skb)
{
	char data[8];

	return bpf_skb_store_bytes(skb, 0, data, sizeof(data), 0);
}

SEC("?socket")
int no_such_helper(struct __sk_buff *skb)
{
	long (*helper)(void *) = (void *)4711;

	return helper(skb);
}

SEC("?socket")
int bad_context(struct __sk_buff *skb)
{
	return *(volatile __u32 *)((char *)skb + 4096);
}

SEC("?socket")
__attribute__((naked)) int no_return_value(void)
{
	asm volatile("exit;");
}

SEC("?socket")
__attribute__((naked)) int unreachable_code(void)
{
	asm volatile("r0 = 0; exit; r0 = 1; exit;");
}

SEC("?socket")
int kept_reference(struct __sk_buff *skb)
{
	__u64 *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (event)
		*event = skb->len;
	return 0;
}

SEC("?tc")
int held_lock(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct guarded *guarded = bpf_map_lookup_elem(&locked, &key);

	if (!guarded)
		return 0;
	bpf_spin_lock(&guarded->lock);
	guarded->value++;
	return 0;
}

SEC("?socket")
__attribute__((naked)) int deep_stack(void)
{
	asm volatile("r0 = 0; *(u64 *)(r10 - 600) = r0; exit;");
}

static __attribute__((noinline)) int fill(volatile char *into, int size)
{
	volatile char more[300];

	for (int i = 0; i < 300; i++)
		more[i] = size;
	for (int i = 0; i < 300; i++)
		into[i] = more[i];
	return more[5];
}

SEC("?socket")
int combined_stack(struct __sk_buff *skb)
{
	volatile char buffer[300];

	for (int i = 0; i < 300; i++)
		buffer[i] = 0;
	return fill(buffer, skb->len) + buffer[7];
}

SEC("?socket")
__attribute__((naked)) int misaligned(void)
{
	asm volatile("r0 = 0; *(u64 *)(r10 - 12) = r0; exit;");
}

SEC("?socket")
__attribute__((naked)) int wrong_argument(void)
{
	asm volatile("r1 = 5; r2 = r10; r2 += -8; call 1; r0 = 0; exit;");
}

SEC("?socket")
__attribute__((naked)) int scalar_dereference(void)
{
	asm volatile("r1 = 5; r0 = *(u64 *)(r1 + 0); exit;");
}

SEC("?socket")
__attribute__((naked)) int pointer_arithmetic(void)
{
	asm volatile("r1 |= 5; r0 = 0; exit;");
}

SEC("?socket")
int read_only(struct __sk_buff *skb)
{
	*(volatile __u32 *)&constant = skb->len;
	return 0;
}

SEC("?sk_lookup")
int return_range(struct bpf_sk_lookup *ctx)
{
	return 5;
}

static __attribute__((noinline)) __u64 deeper(struct counted *counted)
{
	return counted->hits;
}

SEC("?socket")
int in_subprogram(struct __sk_buff *skb)
{
	__u32 key = 0;

	return deeper(bpf_map_lookup_elem(&flows, &key));
}

SEC("?tp_btf/sched_process_exec")
int missing_field(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];

	return task->no_such_field;
}

char LICENSE[] SEC("license") = "GPL";
