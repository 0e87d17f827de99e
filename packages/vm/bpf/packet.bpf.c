/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* skep: cpu=v4 */
/* Helpers of XDP and what all packets have in common, with the return codes of net/core/filter.c. */
#include "packet.h"

#define XDP_REDIRECT_CODE 4
#define TC_ACT_SHOT_CODE 2
#define TC_ACT_REDIRECT_CODE 7
/* Metadata's length in 4 bytes less one fits a byte. */
#define MOST_METADATA 252
/* struct bpf_redir_neigh */
#define NEIGHBOUR_SIZE 20

enum redirect_kind { REDIRECT_INTERFACE = 1, REDIRECT_PEER, REDIRECT_NEIGHBOUR };

VM_INLINE void write_xdp(struct vm_run *run)
{
	struct xdp_md *xdp = AT(run->context);

	xdp->data = run->packet_data;
	xdp->data_end = run->packet_data_end;
	xdp->data_meta = run->packet_meta;
}

/* What a batch does before each packet: the context's bounds, and the run's. */
SEC("syscall") __u64 enter_xdp(__u32 data, __u32 length)
{
	struct vm_run *run = vm_run();

	run->packet_data = data;
	run->packet_meta = data;
	run->packet_lowest = data;
	run->packet_data_end = data + length;
	run->packet_first = data - BATCH_HEADROOM + XDP_FRAME;
	run->packet_end = data + length + BATCH_TAILROOM;
	run->redirect_kind = 0;
	write_xdp(run);
	return 0;
}

SEC("syscall") __u64 xdp_adjust_head(void *context, __s32 offset)
{
	struct vm_run *run = vm_run();
	__u32 metadata = run->packet_data - run->packet_meta;
	__s64 data = (__s64)run->packet_data + offset;

	if (data < (__s64)run->packet_first + metadata || data > (__s64)run->packet_data_end - ETH_HLEN)
		return -EINVAL;
	if (metadata)
		vm_copy(AT(data - metadata), AT(run->packet_meta), metadata);
	packet_bounds(run, data - metadata, run->packet_data_end);
	run->packet_data = data;
	write_xdp(run);
	return 0;
}

SEC("syscall") __u64 xdp_adjust_meta(void *context, __s32 offset)
{
	struct vm_run *run = vm_run();
	__s64 meta = (__s64)run->packet_meta + offset;
	__u32 length = run->packet_data - meta;

	if (meta < run->packet_first || meta > run->packet_data)
		return -EINVAL;
	if (length & 3 || length > MOST_METADATA)
		return -EACCES;
	packet_bounds(run, meta, run->packet_data_end);
	write_xdp(run);
	return 0;
}

SEC("syscall") __u64 xdp_adjust_tail(void *context, __s32 offset)
{
	struct vm_run *run = vm_run();
	__u32 before = run->packet_data_end;
	__s64 end = (__s64)before + offset;

	if (end > run->packet_end || end < (__s64)run->packet_data + ETH_HLEN)
		return -EINVAL;
	packet_bounds(run, run->packet_meta, end);
	if (offset > 0)
		vm_fill(AT(before), 0, offset);
	write_xdp(run);
	return 0;
}

SEC("syscall") __u64 xdp_get_buff_len(void *context)
{
	return packet_length(vm_run());
}

/* bpf_xdp_pointer: 0 when the bytes are the packet's. */
VM_INLINE __s64 xdp_range(const struct vm_run *run, __u32 offset, __u32 length)
{
	if (offset > 0xffff || length > 0xffff)
		return -EFAULT;
	return offset + length > packet_length(run) ? -EINVAL : 0;
}

SEC("syscall") __u64 xdp_load_bytes(void *context, __u32 offset, void *to, __u32 length)
{
	struct vm_run *run = vm_run();
	__s64 problem = xdp_range(run, offset, length);

	must_access(to, length, 2);
	if (problem)
		return problem;
	vm_copy(to, AT(run->packet_data + offset), length);
	return 0;
}

SEC("syscall") __u64 xdp_store_bytes(void *context, __u32 offset, const void *from, __u32 length)
{
	struct vm_run *run = vm_run();
	__s64 problem = xdp_range(run, offset, length);

	must_access(from, length, 1);
	if (problem)
		return problem;
	vm_copy(AT(run->packet_data + offset), from, length);
	return 0;
}

VM_INLINE void redirect_to(struct vm_run *run, enum redirect_kind kind, __u32 target, __u64 flags)
{
	run->redirect_kind = kind;
	run->redirect_target = target;
	run->redirect_flags = flags;
	run->redirect_map = 0;
}

SEC("syscall") __u64 redirect(__u32 target, __u64 flags)
{
	struct vm_run *run = vm_run();

	if (run->program_type == BPF_PROG_TYPE_XDP) {
		if (flags)
			return 0;
		redirect_to(run, REDIRECT_INTERFACE, target, flags);
		return XDP_REDIRECT_CODE;
	}
	if (flags & ~(__u64)BPF_F_INGRESS)
		return TC_ACT_SHOT_CODE;
	redirect_to(run, REDIRECT_INTERFACE, target, flags);
	return TC_ACT_REDIRECT_CODE;
}

SEC("syscall") __u64 redirect_peer(__u32 target, __u64 flags)
{
	if (flags)
		return TC_ACT_SHOT_CODE;
	redirect_to(vm_run(), REDIRECT_PEER, target, flags);
	return TC_ACT_REDIRECT_CODE;
}

SEC("syscall") __u64 redirect_neigh(__u32 target, const void *neighbour, __s32 length, __u64 flags)
{
	if (length)
		must_access(neighbour, (__u32)length, 1);
	if ((length && (__u32)length < NEIGHBOUR_SIZE) || flags)
		return TC_ACT_SHOT_CODE;
	redirect_to(vm_run(), REDIRECT_NEIGHBOUR, target, flags);
	return TC_ACT_REDIRECT_CODE;
}

/* The sum of 32-bit words in ones' complement, 0 only when all are. */
VM_INLINE __u32 sum_words(const __u32 *words, __u32 size, __u32 seed)
{
	__u64 sum = seed;
	__u32 i;

#pragma clang loop unroll_count(4)
	for (i = 0; i < size / 4; i++)
		sum += words[i];
	sum = (sum & 0xffffffff) + (sum >> 32);
	return sum + (sum >> 32);
}

VM_INLINE __u32 csum_add(__u32 a, __u32 b)
{
	__u32 sum = a + b;

	return sum + (sum < b);
}

VM_INLINE __u16 csum_fold_up(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return sum + (sum >> 16);
}

SEC("syscall") __u64 csum_diff(const __u32 *from, __u32 from_size, const __u32 *to, __u32 to_size, __u32 seed)
{
	__u32 sum = seed;

	if ((from_size | to_size) & 3)
		return -EINVAL;
	must_access(from, from_size, 1);
	must_access(to, to_size, 1);
	if (from_size && to_size)
		sum = csum_add(sum_words(to, to_size, seed), ~sum_words(from, from_size, 0));
	else if (to_size)
		sum = sum_words(to, to_size, seed);
	else if (from_size)
		sum = ~sum_words(from, from_size, ~seed);
	return csum_fold_up(sum);
}
