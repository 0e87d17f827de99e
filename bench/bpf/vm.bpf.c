// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* skep: cpu=v4 */
/* The programs of the `vm` benchmark, for the userspace engine; vm-jit.bpf.c makes the kernel's of it. */
#ifndef GO_ON
#define FROM(number) (number)
#define GO_ON 1
#define INDEX(i, size) (i)
#endif
#include "vm-kernels.bpf.h"
#include <bpf/bpf_helpers.h>

/* A helper of the benchmark's own: see helpers of bench/src/vm-side.ts. */
static long (*const bench_empty_helper)(__u32 argument) = (void *)0x1000;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KEYS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

#ifndef FOR_KERNEL
/* A context for each packet, so that a call needs nothing else. */
struct xdp_md contexts[PACKETS];
__u32 first_context;
#endif

/* These three make what the others work on. */
SEC("xdp")
int prepare_buffer(struct xdp_md *context)
{
	fill_buffer();
	return 1;
}

SEC("xdp")
int prepare_packets(struct xdp_md *context)
{
	build_packets();
#ifndef FOR_KERNEL
	for (__u32 i = 0; i < PACKETS; i++) {
		contexts[i].data = (__u32)(unsigned long)packets[i].bytes;
		contexts[i].data_end = contexts[i].data + packets[i].length;
		contexts[i].data_meta = contexts[i].data;
	}
	first_context = (__u32)(unsigned long)contexts;
#endif
	return 1;
}

SEC("xdp")
int prepare_counters(struct xdp_md *context)
{
	for (__u32 i = 0; i < KEYS; i++) {
		__u32 key = key_of(i);
		__u64 zero = 0;

		if (bpf_map_update_elem(&counters, &key, &zero, BPF_ANY))
			return 0;
	}
	return 1;
}

SEC("xdp")
int empty(struct xdp_md *context)
{
	return XDP_PASS;
}

SEC("xdp")
int prime(struct xdp_md *context)
{
	return count_primes();
}

SEC("xdp")
int gcd(struct xdp_md *context)
{
	return sum_of_gcds();
}

SEC("xdp")
int fnv_1a(struct xdp_md *context)
{
	return fnv((const __u8 *)buffer, hashed_bytes);
}

SEC("xdp")
int siphash_2_4(struct xdp_md *context)
{
	return siphash(buffer, hashed_bytes);
}

#ifdef FOR_KERNEL
/* Verified once for all calls: the whole buffer at once would be more than a million instructions. */
__attribute__((noinline)) __u64 sum_quarter(__u32 quarter)
{
	const __u32 *words = (const __u32 *)buffer;

	return sum_words(words + (quarter & 3) * (CHECKSUM_BYTES / 16), checksum_bytes / 4);
}
#endif

SEC("xdp")
int internet_checksum(struct xdp_md *context)
{
#ifdef FOR_KERNEL
	return checksum_of(sum_quarter(0) + sum_quarter(1) + sum_quarter(2) + sum_quarter(3));
#else
	return checksum_of(sum_words((const __u32 *)buffer, checksum_bytes));
#endif
}

SEC("xdp")
int shell_sort(struct xdp_md *context)
{
	return shellsort();
}

SEC("xdp")
int parse_packet(struct xdp_md *context)
{
	return parse((const __u8 *)(long)context->data, (const __u8 *)(long)context->data_end);
}

/* How many keys were found. */
SEC("xdp")
int increment(struct xdp_md *context)
{
	__u32 found = 0;

	for (__u32 i = 0; i < KEYS; i++) {
		__u32 key = key_of(i);
		__u64 *value = bpf_map_lookup_elem(&counters, &key);

		if (value) {
			++*value;
			found++;
		}
	}
	return found;
}

/* One of the kernel's helpers that does next to nothing, and is called for that. */
SEC("xdp")
int kernel_helper(struct xdp_md *context)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < HELPER_CALLS; i++) {
		bpf_get_numa_node_id();
		sum += i;
	}
	return sum;
}

#ifndef FOR_KERNEL
SEC("xdp")
int own_helper(struct xdp_md *context)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < HELPER_CALLS; i++) {
		bench_empty_helper(i);
		sum += i;
	}
	return sum;
}
#endif

char LICENSE[] SEC("license") = "Dual BSD/GPL";
