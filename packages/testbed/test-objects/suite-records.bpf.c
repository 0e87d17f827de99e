// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Engine suite: records of a ring buffer and of a perf event array, and counters beside them. */
#include <skep/bpf.h>

struct record {
	__u64 sequence;
	__u32 words[14];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
	__type(value, struct record);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(value, struct record);
} perf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64[2]);
} counts_ledger SEC(".maps");

__u64 produced;
__u64 failed;
__u64 bits;
__s64 result;
/* Of every so many records one is discarded; 0: none. */
const volatile __u32 discard_every;

static void count(int index)
{
	__u32 key = 0;
	__u64 *counts = bpf_map_lookup_elem(&counts_ledger, &key);

	if (counts)
		counts[index & 1]++;
}

SEC("tc")
int reserve(struct __sk_buff *skb)
{
	struct record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);

	if (!record) {
		failed++;
		count(1);
		return 1;
	}
	record->sequence = produced++;
	for (int i = 0; i < 14; i++)
		record->words[i] = (__u32)record->sequence * 100 + i;
	count(0);
	if (discard_every && record->sequence % discard_every == discard_every - 1)
		bpf_ringbuf_discard(record, 0);
	else
		bpf_ringbuf_submit(record, 0);
	return 0;
}

/* Lengths that are no multiple of 8: 1 to 64 bytes. */
SEC("tc")
int output(struct __sk_buff *skb)
{
	__u8 bytes[64];
	__u32 length = produced % 64 + 1;

	__builtin_memset(bytes, (int)length, sizeof(bytes));
	result = bpf_ringbuf_output(&ring, bytes, length, 0);
	if (!result)
		produced++;
	return 0;
}

/* Bytes that wait to be read; the ring's size; where the next record goes. */
SEC("tc")
int query(struct __sk_buff *skb)
{
	result = bpf_ringbuf_query(&ring, bits);
	return 0;
}

SEC("tc")
int output_perf(struct __sk_buff *skb)
{
	struct record record = { .sequence = produced };

	for (int i = 0; i < 14; i++)
		record.words[i] = (__u32)produced * 100 + i;
	result = bpf_perf_event_output(skb, &perf, BPF_F_CURRENT_CPU, &record, sizeof(record));
	if (!result)
		produced++;
	return 0;
}

/* The record and after it the first bytes of the packet, as many as stand in the upper half of the flags. */
SEC("xdp")
int output_packet(struct xdp_md *ctx)
{
	__u64 sequence = produced;

	result = bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU | (20ULL << 32), &sequence, sizeof(sequence));
	if (!result)
		produced++;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
