// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Engine suite: programs that get a packet or a context of their type, and what they may do to it. */
#include <skep/bpf.h>

struct ethernet {
	__u8 to[6];
	__u8 from[6];
	__be16 type;
} __attribute__((packed));

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

__s64 in[4];
__s64 out[16];
__u8 bytes[64];

/* Swaps the addresses. Returns XDP_DROP for what is shorter than a header, XDP_TX else. */
SEC("xdp")
int turn(struct xdp_md *ctx)
{
	struct ethernet *header = (void *)(long)ctx->data;
	__u8 kept[6];

	if ((void *)(header + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	__builtin_memcpy(kept, header->to, 6);
	__builtin_memcpy(header->to, header->from, 6);
	__builtin_memcpy(header->from, kept, 6);
	return XDP_TX;
}

SEC("xdp")
int context_of_xdp(struct xdp_md *ctx)
{
	out[0] = ctx->data_end - ctx->data;
	out[1] = ctx->data - ctx->data_meta;
	out[2] = ctx->ingress_ifindex;
	out[3] = ctx->rx_queue_index;
	return XDP_PASS;
}

SEC("xdp")
int adjust_head(struct xdp_md *ctx)
{
	__u8 *data;

	out[0] = bpf_xdp_adjust_head(ctx, (int)in[0]);
	data = (void *)(long)ctx->data;
	if (data + 4 > (__u8 *)(long)ctx->data_end)
		return XDP_DROP;
	if (!out[0] && in[0] < 0)
		__builtin_memset(data, 0xaa, 4);
	return XDP_PASS;
}

SEC("xdp")
int adjust_tail(struct xdp_md *ctx)
{
	out[0] = bpf_xdp_adjust_tail(ctx, (int)in[0]);
	out[1] = ctx->data_end - ctx->data;
	return XDP_PASS;
}

SEC("xdp")
int adjust_meta(struct xdp_md *ctx)
{
	__u32 *meta;

	out[0] = bpf_xdp_adjust_meta(ctx, (int)in[0]);
	meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 1) > (void *)(long)ctx->data)
		return XDP_DROP;
	*meta = 0x11223344;
	return XDP_PASS;
}

SEC("xdp")
int load_xdp(struct xdp_md *ctx)
{
	out[0] = bpf_xdp_load_bytes(ctx, (__u32)in[0], bytes, 8);
	out[1] = bpf_xdp_store_bytes(ctx, (__u32)in[1], bytes, 8);
	out[2] = bpf_xdp_get_buff_len(ctx);
	return XDP_PASS;
}

SEC("xdp")
int redirect_xdp(struct xdp_md *ctx)
{
	return bpf_redirect((__u32)in[0], 0);
}

SEC("xdp")
int redirect_map(struct xdp_md *ctx)
{
	return bpf_redirect_map(&devices, (__u32)in[0], XDP_TX);
}

SEC("tc")
int context_of_tc(struct __sk_buff *skb)
{
	out[0] = skb->len;
	out[1] = skb->protocol;
	out[2] = skb->mark;
	out[3] = skb->priority;
	out[4] = skb->cb[1];
	out[5] = skb->ifindex;
	out[6] = skb->vlan_present;
	out[7] = skb->tstamp;
	skb->mark = skb->mark + 1;
	skb->priority = 9;
	skb->cb[0] = 10;
	skb->cb[4] = 14;
	return 2;
}

SEC("tc")
int write_tc(struct __sk_buff *skb)
{
	__u8 *data = (void *)(long)skb->data;

	if (data + 14 > (__u8 *)(long)skb->data_end)
		return 1;
	data[0] = 0x55;
	data[13] ^= 0xff;
	return 0;
}

SEC("tc")
int load_tc(struct __sk_buff *skb)
{
	__u32 length = ((__u32)in[1] & 15) + 1;

	out[0] = bpf_skb_load_bytes(skb, (__u32)in[0], bytes, length);
	out[1] = bpf_skb_load_bytes_relative(skb, 12, &bytes[32], 8, BPF_HDR_START_NET);
	return 0;
}

SEC("tc")
int store_tc(struct __sk_buff *skb)
{
	__u32 word = 0x44332211;

	out[0] = bpf_skb_store_bytes(skb, (__u32)in[0], &word, 4, (__u64)in[1]);
	return 0;
}

/* Changes the source address of an IPv4 packet with UDP, and both checksums with it. */
SEC("tc")
int rewrite(struct __sk_buff *skb)
{
	__u32 old = 0, new = (__u32)in[0];

	bpf_skb_load_bytes(skb, 26, &old, 4);
	out[0] = bpf_l4_csum_replace(skb, 14 + 20 + 6, old, new, BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0 | 4);
	out[1] = bpf_l3_csum_replace(skb, 14 + 10, old, new, 4);
	out[2] = bpf_skb_store_bytes(skb, 26, &new, 4, 0);
	return 0;
}

SEC("tc")
int change_tail(struct __sk_buff *skb)
{
	out[0] = bpf_skb_change_tail(skb, (__u32)in[0], 0);
	out[1] = skb->len;
	return 0;
}

SEC("tc")
int change_head(struct __sk_buff *skb)
{
	out[0] = bpf_skb_change_head(skb, (__u32)in[0], 0);
	out[1] = skb->len;
	return 0;
}

SEC("tc")
int adjust_room(struct __sk_buff *skb)
{
	out[0] = bpf_skb_adjust_room(skb, (__s32)in[0], (__u32)in[1], (__u64)in[2]);
	out[1] = skb->len;
	return 0;
}

SEC("tc")
int vlan(struct __sk_buff *skb)
{
	out[0] = bpf_skb_vlan_push(skb, 0x0081, (__u16)in[0]);
	out[1] = skb->vlan_present;
	out[2] = skb->vlan_tci;
	if (in[1])
		out[3] = bpf_skb_vlan_pop(skb);
	out[4] = skb->vlan_present;
	return 0;
}

SEC("tc")
int redirect_tc(struct __sk_buff *skb)
{
	return bpf_redirect((__u32)in[0], (__u64)in[1]);
}

unsigned long long load_byte(void *skb, unsigned long long offset) asm("llvm.bpf.load.byte");
unsigned long long load_half(void *skb, unsigned long long offset) asm("llvm.bpf.load.half");
unsigned long long load_word(void *skb, unsigned long long offset) asm("llvm.bpf.load.word");

/* The packet instructions of old, at constant and at computed places. Past the end they end the program with 0. */
SEC("socket")
int legacy(struct __sk_buff *skb)
{
	__u64 at = (__u64)in[0];

	out[0] = load_byte(skb, 0);
	out[1] = load_half(skb, 0);
	out[2] = load_word(skb, 0);
	out[3] = load_byte(skb, at);
	out[4] = load_half(skb, at);
	out[5] = load_word(skb, at);
	return 33;
}

SEC("socket")
int length(struct __sk_buff *skb)
{
	return skb->len;
}

SEC("cgroup_skb/ingress")
int pass_cgroup(struct __sk_buff *skb)
{
	out[0] = skb->len;
	out[1] = skb->protocol;
	out[2] = skb->family;
	out[3] = skb->remote_ip4;
	out[4] = skb->local_ip4;
	return in[0] != 0;
}

SEC("sk_lookup")
int lookup(struct bpf_sk_lookup *ctx)
{
	out[0] = ctx->family;
	out[1] = ctx->protocol;
	out[2] = ctx->local_port;
	out[3] = ctx->remote_ip4;
	out[4] = ctx->local_ip4;
	out[5] = bpf_ntohs(ctx->remote_port);
	out[6] = ctx->sk == 0;
	return ctx->local_port == 80 ? SK_PASS : SK_DROP;
}

SEC("flow_dissector")
int dissect(struct __sk_buff *skb)
{
	struct bpf_flow_keys *keys = skb->flow_keys;

	out[0] = keys->nhoff;
	keys->thoff = keys->nhoff + 20;
	keys->addr_proto = 0x0800;
	keys->ip_proto = 17;
	keys->sport = 0x3412;
	return BPF_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
