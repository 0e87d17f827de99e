// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <skep/bpf.h>
#include <skep/net.h>

/* Datagrams to this UDP port are dropped; set before the load. */
const volatile __u16 port = 9999;

enum outcome { PASSED, DROPPED };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, enum outcome);
	__type(value, __u64);
} packets SEC(".maps");

static __always_inline enum outcome judge(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(udp + 1) > (void *)(long)ctx->data_end)
		return PASSED;
	if (eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5 || ip->protocol != IPPROTO_UDP)
		return PASSED;
	return udp->dest == bpf_htons(port) ? DROPPED : PASSED;
}

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	enum outcome outcome = judge(ctx);
	__u64 *count = bpf_map_lookup_elem(&packets, &outcome);

	if (count)
		(*count)++;
	return outcome == DROPPED ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
