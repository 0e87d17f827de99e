/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* skep: cpu=v4 */
/* Helpers of socket buffers that are called for most packets, with the return codes of net/core/filter.c. */
#include "packet.h"

#define INT_MAX 0x7fffffff

enum { PACKET_HOST, PACKET_MULTICAST = 2, PACKET_OTHERHOST };

/* Whether a packet has so many bytes from an offset on. */
VM_INLINE int has_bytes(const struct vm_run *run, __u32 offset, __u32 length)
{
	return (__u64)offset + length <= packet_length(run);
}

/* Who a frame is for, as the loopback device sees it, which has neither an address nor a broadcast address. */
VM_INLINE __u32 packet_type(const __u8 *frame)
{
	__u64 address = *(const __u64 *)frame & 0xffffffffffff;

	if (address & 1)
		return PACKET_MULTICAST;
	return address ? PACKET_OTHERHOST : PACKET_HOST;
}

/* What a batch does before each packet: the context's fields that the packet tells, and the run's. */
VM_INLINE __u64 enter_skb(__u32 data, __u32 length, __u32 frame)
{
	struct vm_run *run = vm_run();
	struct __sk_buff *skb = AT(run->context);
	const __u8 *header = AT(frame);
	__u32 type = be16(*(const __u16 *)(header + 12));

	run->packet_data = data;
	run->packet_meta = data;
	run->packet_lowest = data;
	run->packet_data_end = data + length;
	run->packet_first = frame - BATCH_HEADROOM;
	run->packet_end = data + length + BATCH_TAILROOM;
	run->mac_header = frame;
	run->network_header = frame + ETH_HLEN;
	run->redirect_kind = 0;
	run->encapsulated = 0;
	if (type < 0x0600)
		type = length + (data - frame) >= 16 && *(const __u16 *)(header + 14) == 0xffff ? 1 : 4;
	skb->protocol = be16(type);
	skb->pkt_type = packet_type(header);
	skb->mark = skb->priority = skb->hash = skb->vlan_tci = skb->vlan_proto = skb->vlan_present = 0;
	skb->tc_classid = skb->tc_index = 0;
	skb->cb[0] = skb->cb[1] = skb->cb[2] = skb->cb[3] = skb->cb[4] = 0;
	skb->tstamp = 0;
	skb->wire_len = length;
	write_skb(run);
	return 0;
}

SEC("syscall") __u64 enter_frame(__u32 data, __u32 length)
{
	return enter_skb(data, length, data);
}

/* Without the Ethernet header; a socket with the addresses of the packet stands behind it. */
SEC("syscall") __u64 enter_network(__u32 data, __u32 length)
{
	struct vm_run *run = vm_run();
	struct __sk_buff *skb = AT(run->context);

	enter_skb(data, length, data - ETH_HLEN);
	vm_fill(&skb->family, 0, 44);
	if (skb->protocol == be16(ETH_P_IP) && length >= 20) {
		skb->family = 2;
		skb->local_ip4 = *(const __u32 *)AT(data + 12);
		skb->remote_ip4 = *(const __u32 *)AT(data + 16);
	} else if (skb->protocol == be16(ETH_P_IPV6) && length >= 40) {
		skb->family = 10;
		vm_copy(&skb->local_ip6, AT(data + 8), 16);
		vm_copy(&skb->remote_ip6, AT(data + 24), 16);
	}
	return 0;
}

SEC("syscall") __u64 skb_load_bytes(void *context, __u32 offset, void *to, __u32 length)
{
	struct vm_run *run = vm_run();

	must_access(to, length, 2);
	if (offset > INT_MAX || !has_bytes(run, offset, length)) {
		vm_fill(to, 0, length);
		return -EFAULT;
	}
	vm_copy(to, AT(run->packet_data + offset), length);
	return 0;
}

SEC("syscall") __u64 skb_load_bytes_relative(void *context, __u32 offset, void *to, __u32 length, __u32 header)
{
	struct vm_run *run = vm_run();
	__u64 start = (header == 0 ? run->mac_header : run->network_header) + (__u64)offset;

	must_access(to, length, 2);
	if (offset > 0xffff || header > 1 || start + length > run->packet_data_end) {
		vm_fill(to, 0, length);
		return -EFAULT;
	}
	vm_copy(to, AT(start), length);
	return 0;
}

SEC("syscall") __u64 skb_store_bytes(void *context, __u32 offset, const void *from, __u32 length, __u64 flags)
{
	struct vm_run *run = vm_run();
	struct __sk_buff *skb = AT(run->context);

	must_access(from, length, 1);
	if (flags & ~(__u64)(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
		return -EINVAL;
	if (offset > INT_MAX || !has_bytes(run, offset, length))
		return -EFAULT;
	vm_copy(AT(run->packet_data + offset), from, length);
	if (flags & BPF_F_INVALIDATE_HASH)
		skb->hash = 0;
	return 0;
}

/* All of a packet lies in one piece, so there is nothing to pull. */
SEC("syscall") __u64 skb_pull_data(void *context, __u32 length)
{
	return length > packet_length(vm_run()) ? -ENOMEM : 0;
}

SEC("syscall") __u64 skb_change_type(void *context, __u32 type)
{
	struct __sk_buff *skb = AT(vm_run()->context);

	if (skb->pkt_type > PACKET_OTHERHOST || type > PACKET_OTHERHOST)
		return -EINVAL;
	skb->pkt_type = type;
	return 0;
}

VM_INLINE __u32 csum_add(__u32 a, __u32 b)
{
	__u32 sum = a + b;

	return sum + (sum < b);
}

VM_INLINE __u16 csum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

VM_INLINE void replace_by_difference(__u16 *sum, __u32 difference)
{
	*sum = csum_fold(csum_add(difference, ~(__u32)*sum));
}

VM_INLINE void replace4(__u16 *sum, __u32 from, __u32 to)
{
	*sum = csum_fold(csum_add(csum_add(~(__u32)*sum, ~from), to));
}

VM_INLINE __u16 csum16_add(__u16 a, __u16 b)
{
	__u16 sum = a + b;

	return sum + (sum < b);
}

SEC("syscall") __u64 l3_csum_replace(void *context, __u32 offset, __u64 from, __u64 to, __u64 flags)
{
	struct vm_run *run = vm_run();
	__u16 *sum = AT(run->packet_data + offset);

	if (flags & ~(__u64)BPF_F_HDR_FIELD_MASK)
		return -EINVAL;
	if (offset > 0xffff || offset & 1 || !has_bytes(run, offset, 2))
		return -EFAULT;
	switch (flags & BPF_F_HDR_FIELD_MASK) {
	case 0:
		if (from)
			return -EINVAL;
		replace_by_difference(sum, to);
		return 0;
	case 2:
		*sum = ~csum16_add(csum16_add(~*sum, ~(__u16)from), to);
		return 0;
	case 4:
		replace4(sum, from, to);
		return 0;
	default:
		return -EINVAL;
	}
}

/* BPF_F_IPV6 of Linux 6.16. */
#define F_IPV6 (1 << 7)
#define L4_FLAGS (BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE | BPF_F_PSEUDO_HDR | BPF_F_HDR_FIELD_MASK | F_IPV6)

SEC("syscall") __u64 l4_csum_replace(void *context, __u32 offset, __u64 from, __u64 to, __u64 flags)
{
	struct vm_run *run = vm_run();
	__u16 *sum = AT(run->packet_data + offset);

	if (flags & ~(__u64)L4_FLAGS)
		return -EINVAL;
	if (offset > 0xffff || offset & 1 || !has_bytes(run, offset, 2))
		return -EFAULT;
	if (flags & BPF_F_MARK_MANGLED_0 && !(flags & BPF_F_MARK_ENFORCE) && !*sum)
		return 0;
	switch (flags & BPF_F_HDR_FIELD_MASK) {
	case 0:
		if (from)
			return -EINVAL;
		replace_by_difference(sum, to);
		break;
	case 2:
		replace4(sum, (__u16)from, (__u16)to);
		break;
	case 4:
		replace4(sum, from, to);
		break;
	default:
		return -EINVAL;
	}
	if (flags & BPF_F_MARK_MANGLED_0 && !*sum)
		*sum = 0xffff;
	return 0;
}

/*
 * BPF_LD | BPF_ABS and BPF_IND: the value in host order, or all ones when it is not in the packet, which ends the program
 * with 0. Negative offsets count from the network header (SKF_NET_OFF) or the link header (SKF_LL_OFF).
 */
SEC("syscall") __u64 packet_load(__s32 offset, __u32 size)
{
	struct vm_run *run = vm_run();
	__u64 at = run->packet_data + (__u64)(__u32)offset;

	if (offset < 0) {
		if (offset >= -0x100000)
			at = run->network_header + (__u64)(offset + 0x100000);
		else if (offset >= -0x200000)
			at = run->mac_header + (__u64)(offset + 0x200000);
		else
			return -1;
	}
	if (at + size > run->packet_data_end)
		return -1;
	switch (size) {
	case 1:
		return *(const __u8 *)AT(at);
	case 2:
		return be16(*(const __u16 *)AT(at));
	default:
		return __builtin_bswap32(*(const __u32 *)AT(at));
	}
}
