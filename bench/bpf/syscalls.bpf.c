// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The map, the ring and the producer of the `syscalls` benchmark; syscalls.c has the same as raw instructions. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct record {
	__u64 sequence;
	__u32 words[14];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 100000);
	__type(key, __u32);
	__type(value, __u64);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
	__type(value, struct record);
} ring SEC(".maps");

__u64 sequence;

SEC("socket")
int produce(struct __sk_buff *skb)
{
	struct record record = { .sequence = sequence++ };

	for (int i = 0; i < 14; i++)
		record.words[i] = (__u32)record.sequence + i;
	bpf_ringbuf_output(&ring, &record, sizeof(record), 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
