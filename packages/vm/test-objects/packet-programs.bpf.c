// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <skep/bpf.h>
#include <skep/net.h>

/* TCP to this port is dropped; set before the load. */
const volatile __u16 port = 80;
const volatile __u32 device = 3;

struct seen {
	__u32 length;
	__u16 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} lengths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
	__type(value, struct seen);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} ports SEC(".maps");

__u64 total;

static __always_inline struct tcphdr *tcp_of(void *data, void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);

	if ((void *)(tcp + 1) > end)
		return NULL;
	if (eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5 || ip->protocol != IPPROTO_TCP)
		return NULL;
	return tcp;
}

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct tcphdr *tcp = tcp_of(data, end);
	__u32 to, index = 1;
	__u64 one = 1, *count;

	total++;
	count = bpf_map_lookup_elem(&lengths, &index);
	if (count)
		*count += end - data;
	if (!tcp)
		return XDP_PASS;
	to = bpf_ntohs(tcp->dest);
	count = bpf_map_lookup_elem(&counters, &to);
	if (count)
		*count += 1;
	else
		bpf_map_update_elem(&counters, &to, &one, BPF_ANY);
	return to == port ? XDP_DROP : XDP_PASS;
}

/* Sends back, two bytes longer in front, and says so. */
SEC("xdp")
int bounce(struct xdp_md *ctx)
{
	struct seen seen = {};
	struct ethhdr *eth;
	__u8 mac[6];

	seen.length = ctx->data_end - ctx->data;
	bpf_printk("bounce %d bytes", seen.length);
	bpf_ringbuf_output(&events, &seen, sizeof(seen), 0);
	if (bpf_xdp_adjust_head(ctx, -2))
		return XDP_ABORTED;
	eth = (void *)(long)ctx->data;
	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	__builtin_memcpy(mac, eth->h_dest, 6);
	__builtin_memcpy(eth->h_dest, eth->h_source, 6);
	__builtin_memcpy(eth->h_source, mac, 6);
	return XDP_TX;
}

SEC("xdp")
int forward(struct xdp_md *ctx)
{
	if (ctx->data_end - ctx->data > 100)
		return bpf_redirect_map(&ports, 5, XDP_DROP);
	return bpf_redirect(device, 0);
}

/* Asks for a redirect and then does otherwise. */
SEC("tc")
int waver(struct __sk_buff *skb)
{
	bpf_redirect(device, 0);
	return skb->mark == 7 ? TC_ACT_OK : TC_ACT_SHOT;
}

SEC("tc")
int mark(struct __sk_buff *skb)
{
	skb->priority = skb->mark + 1;
	return TC_ACT_UNSPEC;
}

/* Reads where there is no memory for packets that begin with 0xff; the kernel would not have it. */
SEC("?xdp")
int fragile(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u8 *end = (void *)(long)ctx->data_end;
	__u64 key = 0;

	total++;
	if ((void *)(data + 1) > (void *)end)
		return XDP_ABORTED;
	if (*data == 0xff)
		return *(volatile __u32 *)(key + *data);
	return XDP_PASS;
}

SEC("cgroup_skb/egress")
int odd(struct __sk_buff *skb)
{
	return skb->len & 1;
}

/* Counts what its context says. */
SEC("syscall")
int add(struct seen *seen)
{
	__u32 key = seen->port;
	__u64 value = seen->length;

	bpf_map_update_elem(&counters, &key, &value, BPF_ANY);
	return seen->length;
}

char LICENSE[] SEC("license") = "GPL";
