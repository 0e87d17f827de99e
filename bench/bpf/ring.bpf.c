// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The producer of the `ring` benchmark: one record of 64 bytes a run, counted whether or not there was room for it. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct record {
	__u64 time;
	__u64 sequence;
	__u32 words[12];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 19);
	__type(value, struct record);
} ring SEC(".maps");

__u64 produced;
__u64 lost;

SEC("socket")
int produce(struct __sk_buff *skb)
{
	struct record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);

	produced++;
	if (!record) {
		lost++;
		return 0;
	}
	record->time = bpf_ktime_get_ns();
	record->sequence = produced;
	for (int i = 0; i < 12; i++)
		record->words[i] = (__u32)produced + i;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
