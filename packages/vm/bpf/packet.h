/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the helpers of packets have in common. A helper goes by the packet of struct vm_run and by run->context, whatever a
 * program hands in as its context.
 */
#ifndef SKEP_VM_PACKET_H
#define SKEP_VM_PACKET_H

#include "runtime.h"

#define SEC(name) __attribute__((section(name), used))

#define ETH_HLEN 14
#define ETH_ALEN 6
#define VLAN_HLEN 4
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd
#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88a8

#define ENOMEM 12
#define EACCES 13
#define EFAULT 14
#define EINVAL 22
#define EALREADY 114
#define ENOTSUPP 524

#define AT(address) ((void *)(unsigned long)(address))

#define be16(value) __builtin_bswap16(value)

/* Before and behind each packet of a batch: see src/run/packet-batch.ts. */
#define BATCH_HEADROOM 256
#define BATCH_TAILROOM 192
/* struct xdp_frame, at the beginning of a frame's room. */
#define XDP_FRAME 40

/* Ends the run: there is no memory at 0. */
VM_INLINE void vm_fault(void)
{
	*(volatile __u32 *)0 = 0;
}

/* Ends the run unless a program may read (1) or write (2) what it hands in. */
VM_INLINE void must_access(const void *at, __u64 length, __u64 access)
{
	if (!vm_may_access(at, length, access))
		vm_fault();
}

VM_INLINE __u32 packet_length(const struct vm_run *run)
{
	return run->packet_data_end - run->packet_data;
}

/* Moves the bounds of what is open to the program: metadata and packet. Its first 8 bytes are open as a whole. */
VM_INLINE void packet_bounds(struct vm_run *run, __u32 first, __u32 end)
{
	__u32 before = run->packet_meta & ~7u;
	__u32 start = first & ~7u;

	vm_set_region(AT(before), run->packet_data_end - before, 0);
	vm_set_region(AT(start), end - start, 2);
	run->packet_meta = first;
	run->packet_data_end = end;
	if (first < run->packet_lowest)
		run->packet_lowest = first;
}

VM_INLINE void write_skb(struct vm_run *run)
{
	struct __sk_buff *skb = AT(run->context);

	skb->data = run->packet_data;
	skb->data_end = run->packet_data_end;
	skb->data_meta = run->packet_meta;
	skb->len = packet_length(run);
}

#endif
