/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* skep: cpu=v4 */
/* Helpers that make a socket buffer longer or shorter, with the return codes of net/core/filter.c. */
#include "packet.h"

#define IPV4_LENGTH 20
#define IPV6_LENGTH 40
/* BPF_SKB_MAX_LEN: four pages less a struct skb_shared_info. */
#define MOST_LENGTH (16384 - 320)
/* What the room of a packet has before it when it is moved. */
#define FRESH_HEADROOM 216

/* Moves a packet back in its room, so that so many bytes fit before it. */
VM_INLINE int make_headroom(struct vm_run *run, __u32 bytes)
{
	__u32 link = run->mac_header < run->packet_meta ? run->mac_header : run->packet_meta;
	__u32 by;

	if (run->packet_data >= run->packet_first + bytes)
		return 0;
	by = (run->packet_first + FRESH_HEADROOM + bytes - run->packet_data + 7) & ~7u;
	if (run->packet_data_end + by > run->packet_end)
		return -ENOMEM;
	vm_copy(AT(link + by), AT(link), run->packet_data_end - link);
	packet_bounds(run, run->packet_meta + by, run->packet_data_end + by);
	run->packet_data += by;
	run->mac_header += by;
	run->network_header += by;
	return 0;
}

VM_INLINE void set_data(struct vm_run *run, __u32 data)
{
	packet_bounds(run, data, run->packet_data_end);
	run->packet_data = data;
	write_skb(run);
}

/* Puts zeros behind the first bytes: bpf_skb_net_hdr_push. */
VM_INLINE int push_after(struct vm_run *run, __u32 first, __u32 bytes)
{
	int problem = make_headroom(run, bytes);
	__u32 data;

	if (problem)
		return problem;
	data = run->packet_data - bytes;
	vm_copy(AT(data), AT(run->packet_data), first);
	vm_fill(AT(data + first), 0, bytes);
	run->mac_header -= bytes;
	run->network_header -= bytes;
	set_data(run, data);
	return 0;
}

/* Takes bytes out from behind the first ones: bpf_skb_net_hdr_pop. */
VM_INLINE int pop_after(struct vm_run *run, __u32 first, __u32 bytes)
{
	__u32 data = run->packet_data + bytes;

	if (first + bytes > packet_length(run))
		return -ENOMEM;
	vm_copy(AT(data), AT(run->packet_data), first);
	run->mac_header += bytes;
	run->network_header += bytes;
	set_data(run, data);
	return 0;
}

SEC("syscall") __u64 skb_change_head(void *context, __u32 bytes, __u64 flags)
{
	struct vm_run *run = vm_run();
	__u32 length = packet_length(run);
	int problem;

	if (flags || (__s32)bytes < 0 || length + bytes > MOST_LENGTH)
		return -EINVAL;
	problem = make_headroom(run, bytes);
	if (problem)
		return problem;
	vm_fill(AT(run->packet_data - bytes), 0, bytes);
	run->mac_header = run->packet_data - bytes;
	set_data(run, run->mac_header);
	return 0;
}

SEC("syscall") __u64 skb_change_tail(void *context, __u32 length, __u64 flags)
{
	struct vm_run *run = vm_run();
	__u32 before = packet_length(run);
	__u32 least = run->network_header > run->packet_data ? run->network_header - run->packet_data : 0;

	if (flags || length > MOST_LENGTH || length < least)
		return -EINVAL;
	if (run->encapsulated)
		return -ENOTSUPP;
	if (run->packet_data + length > run->packet_end)
		return -ENOMEM;
	packet_bounds(run, run->packet_meta, run->packet_data + length);
	if (length > before)
		vm_fill(AT(run->packet_data + before), 0, length - before);
	write_skb(run);
	return 0;
}

SEC("syscall") __u64 skb_change_proto(void *context, __u32 protocol, __u64 flags)
{
	struct vm_run *run = vm_run();
	struct __sk_buff *skb = AT(run->context);
	__u32 link = run->network_header - run->mac_header;
	__u16 from = be16(skb->protocol);
	__u16 to = be16((__u16)protocol);
	int problem;

	if (flags)
		return -EINVAL;
	if (from == ETH_P_IP && to == ETH_P_IPV6)
		problem = push_after(run, link, IPV6_LENGTH - IPV4_LENGTH);
	else if (from == ETH_P_IPV6 && to == ETH_P_IP)
		problem = pop_after(run, link, IPV6_LENGTH - IPV4_LENGTH);
	else
		return -ENOTSUPP;
	if (problem)
		return problem;
	skb->protocol = be16(to);
	skb->hash = 0;
	return 0;
}

#define F_ENCAP_L3 (BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6)
#define F_ENCAP_L4 (BPF_F_ADJ_ROOM_ENCAP_L4_GRE | BPF_F_ADJ_ROOM_ENCAP_L4_UDP)
/* Of Linux 6.4. */
#define F_DECAP_L3_IPV4 (1 << 7)
#define F_DECAP_L3_IPV6 (1 << 8)
#define F_DECAP_L3 (F_DECAP_L3_IPV4 | F_DECAP_L3_IPV6)
#define F_INNER_MAC ((__u64)0xff << 56)
#define F_SHRINK (BPF_F_ADJ_ROOM_FIXED_GSO | F_DECAP_L3 | BPF_F_ADJ_ROOM_NO_CSUM_RESET)
#define F_ALL (F_SHRINK | F_ENCAP_L3 | F_ENCAP_L4 | BPF_F_ADJ_ROOM_ENCAP_L2_ETH | F_INNER_MAC)

/* The protocol that the outermost header is of now: the one that a flag names, if that is another. */
VM_INLINE void match_protocol(struct __sk_buff *skb, __u64 flags, __u64 is_ipv4, __u64 is_ipv6)
{
	__u16 protocol = be16(skb->protocol);

	if (protocol == ETH_P_IP && flags & is_ipv6)
		skb->protocol = be16(ETH_P_IPV6);
	else if (protocol == ETH_P_IPV6 && flags & is_ipv4)
		skb->protocol = be16(ETH_P_IP);
}

VM_INLINE __s64 grow(struct vm_run *run, __u32 first, __u32 bytes, __u64 flags)
{
	__u8 inner_mac = flags >> 56;
	int encapsulates = !!(flags & F_ENCAP_L3);
	int problem;

	if (encapsulates) {
		if ((flags & F_ENCAP_L3) == F_ENCAP_L3 || (flags & F_ENCAP_L4) == F_ENCAP_L4)
			return -EINVAL;
		if (flags & BPF_F_ADJ_ROOM_ENCAP_L2_ETH && inner_mac < ETH_HLEN)
			return -EINVAL;
		if (run->encapsulated)
			return -EALREADY;
		if (inner_mac > bytes)
			return -EINVAL;
	}
	problem = push_after(run, first, bytes);
	if (problem || !encapsulates)
		return problem;
	run->encapsulated = 1;
	match_protocol(AT(run->context), flags, BPF_F_ADJ_ROOM_ENCAP_L3_IPV4, BPF_F_ADJ_ROOM_ENCAP_L3_IPV6);
	return 0;
}

VM_INLINE __s64 shrink(struct vm_run *run, __u32 first, __u32 bytes, __u64 flags)
{
	int problem;

	if (flags & ~(__u64)F_SHRINK)
		return -EINVAL;
	problem = pop_after(run, first, bytes);
	if (!problem)
		match_protocol(AT(run->context), flags, F_DECAP_L3_IPV4, F_DECAP_L3_IPV6);
	return problem;
}

SEC("syscall") __u64 skb_adjust_room(void *context, __s32 by, __u32 mode, __u64 flags)
{
	struct vm_run *run = vm_run();
	struct __sk_buff *skb = AT(run->context);
	__u16 protocol = be16(skb->protocol);
	__u32 bytes = by < 0 ? -(__u32)by : by;
	__u32 header = protocol == ETH_P_IP ? IPV4_LENGTH : IPV6_LENGTH;
	__u32 first = run->network_header - run->mac_header;
	__u32 least = header;
	__u32 from_network = run->packet_data_end - run->network_header;

	if (flags & ~(__u64)F_ALL)
		return -EINVAL;
	if (bytes > 0xfff)
		return -EFAULT;
	if (protocol != ETH_P_IP && protocol != ETH_P_IPV6)
		return -ENOTSUPP;
	if (mode > BPF_ADJ_ROOM_MAC)
		return -ENOTSUPP;
	if (mode == BPF_ADJ_ROOM_NET)
		first += header;
	if (flags & F_DECAP_L3) {
		if (by >= 0 || (flags & F_DECAP_L3) == F_DECAP_L3)
			return -EINVAL;
		least = flags & F_DECAP_L3_IPV4 ? IPV4_LENGTH : IPV6_LENGTH;
	}
	if (by < 0) {
		if (bytes >= from_network || from_network - bytes < least)
			return -ENOTSUPP;
		return shrink(run, first, bytes, flags);
	}
	if (packet_length(run) + bytes > MOST_LENGTH)
		return -ENOTSUPP;
	return grow(run, first, bytes, flags);
}

VM_INLINE int is_vlan(__u16 protocol)
{
	return protocol == ETH_P_8021Q || protocol == ETH_P_8021AD;
}

/* A tag beside the packet, where a device would insert it. */
VM_INLINE void set_tag(struct __sk_buff *skb, __u16 protocol, __u16 tci)
{
	skb->vlan_present = 1;
	skb->vlan_proto = be16(protocol);
	skb->vlan_tci = tci;
}

SEC("syscall") __u64 skb_vlan_push(void *context, __u32 protocol, __u32 tci)
{
	struct vm_run *run = vm_run();
	struct __sk_buff *skb = AT(run->context);
	__u16 wanted = be16((__u16)protocol);

	if (!is_vlan(wanted))
		wanted = ETH_P_8021Q;
	if (skb->vlan_present) {
		int problem = push_after(run, 2 * ETH_ALEN, VLAN_HLEN);
		__u16 *tag;

		if (problem)
			return problem;
		tag = AT(run->packet_data + 2 * ETH_ALEN);
		tag[0] = skb->vlan_proto;
		tag[1] = be16((__u16)skb->vlan_tci);
		skb->protocol = skb->vlan_proto;
	}
	set_tag(skb, wanted, tci);
	return 0;
}

/* Takes the outermost tag out of the packet: the next protocol is in its place. */
VM_INLINE int take_tag(struct vm_run *run, struct __sk_buff *skb, __u16 *tci)
{
	const __u16 *tag = AT(run->packet_data + 2 * ETH_ALEN);
	__u16 protocol;
	int problem;

	if (packet_length(run) < ETH_HLEN + VLAN_HLEN)
		return -ENOMEM;
	*tci = be16(tag[1]);
	protocol = be16(tag[2]);
	if (protocol < 0x0600)
		protocol = tag[3] == 0xffff ? 1 : 4;
	problem = pop_after(run, 2 * ETH_ALEN, VLAN_HLEN);
	if (problem)
		return problem;
	if (run->network_header < run->packet_data + ETH_HLEN)
		run->network_header = run->packet_data + ETH_HLEN;
	skb->protocol = be16(protocol);
	return 0;
}

SEC("syscall") __u64 skb_vlan_pop(void *context)
{
	struct vm_run *run = vm_run();
	struct __sk_buff *skb = AT(run->context);
	__u16 protocol = be16(skb->protocol);
	__u16 tci = 0;
	int problem;

	if (skb->vlan_present) {
		skb->vlan_present = 0;
		skb->vlan_proto = 0;
		skb->vlan_tci = 0;
	} else {
		if (!is_vlan(protocol))
			return 0;
		problem = take_tag(run, skb, &tci);
		if (problem)
			return problem;
	}
	protocol = be16(skb->protocol);
	if (!is_vlan(protocol))
		return 0;
	problem = take_tag(run, skb, &tci);
	if (problem)
		return problem;
	set_tag(skb, protocol, tci);
	return 0;
}
