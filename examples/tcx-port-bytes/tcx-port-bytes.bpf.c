// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <skep/bpf.h>
#include <skep/net.h>

struct traffic {
	__u64 packets;
	__u64 bytes;
};

/* By destination port. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u16);
	__type(value, struct traffic);
} ports SEC(".maps");

SEC("tcx/egress")
int count(struct __sk_buff *skb)
{
	struct traffic first = {}, *traffic;
	struct iphdr ip;
	__be16 destination;
	__u16 port;

	if (skb->protocol != bpf_htons(ETH_P_IP) || bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return TCX_NEXT;
	if (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP)
		return TCX_NEXT;
	/* TCP and UDP have their ports at the same place. */
	if (bpf_skb_load_bytes(skb, ETH_HLEN + ip.ihl * 4 + 2, &destination, sizeof(destination)))
		return TCX_NEXT;
	port = bpf_ntohs(destination);
	bpf_map_update_elem(&ports, &port, &first, BPF_NOEXIST);
	traffic = bpf_map_lookup_elem(&ports, &port);
	if (traffic) {
		__sync_fetch_and_add(&traffic->packets, 1);
		__sync_fetch_and_add(&traffic->bytes, skb->len);
	}
	return TCX_NEXT;
}

char LICENSE[] SEC("license") = "GPL";
