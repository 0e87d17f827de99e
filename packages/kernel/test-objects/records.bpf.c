// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs for BPF_PROG_TEST_RUN that fill a ring buffer and a perf event array with numbered records. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct record {
	__u64 sequence;
	__u32 words[14];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
	__type(value, struct record);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(value, struct record);
} perf SEC(".maps");

/* Three records of a megabyte go in: positions pass 2^32 soon. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} huge SEC(".maps");

__u64 produced;
__u64 failed;
/* Every so many records one is reserved and discarded; 0: none. */
const volatile __u32 discard_every;

SEC("socket")
int fill_ring(struct __sk_buff *skb)
{
	struct record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);

	if (!record) {
		failed++;
		return 0;
	}
	if (discard_every && (produced + 1) % discard_every == 0) {
		produced++;
		bpf_ringbuf_discard(record, 0);
		return 0;
	}
	record->sequence = produced++;
	for (int i = 0; i < 14; i++)
		record->words[i] = (__u32)record->sequence + i;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

/* Lengths that are no multiple of 8: 1 to 64 bytes. */
SEC("socket")
int fill_ring_uneven(struct __sk_buff *skb)
{
	char bytes[64];
	__u32 length = produced % 64 + 1;

	__builtin_memset(bytes, (int)length, sizeof(bytes));
	if (bpf_ringbuf_output(&ring, bytes, length, 0))
		failed++;
	else
		produced++;
	return 0;
}

SEC("socket")
int fill_huge(struct __sk_buff *skb)
{
	__u64 *record = bpf_ringbuf_reserve(&huge, (1 << 20) - 8, 0);

	if (!record) {
		failed++;
		return 0;
	}
	*record = produced++;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("socket")
int fill_perf(struct __sk_buff *skb)
{
	struct record record = { .sequence = produced };

	for (int i = 0; i < 14; i++)
		record.words[i] = (__u32)produced + i;
	if (bpf_perf_event_output(skb, &perf, BPF_F_CURRENT_CPU, &record, sizeof(record)))
		failed++;
	else
		produced++;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
