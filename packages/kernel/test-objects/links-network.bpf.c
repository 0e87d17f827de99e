// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs for network links. Each counts what it saw and gives a verdict that shows in the traffic. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PORT 9999

/* `enum tcx_action_base`, newer than the headers. */
#define TCX_NEXT -1
#define TCX_PASS 0
#define TCX_DROP 2

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

__u64 seen;
/* One decimal digit for each program that ran. */
__u64 order;
__u64 dissected;

/* Whether an Ethernet frame is a UDP datagram to the port. */
static __always_inline int is_wanted(void *data, void *end)
{
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(udp + 1) > end)
		return 0;
	return ((struct ethhdr *)data)->h_proto == bpf_htons(ETH_P_IP) && ip->protocol == IPPROTO_UDP &&
	       udp->dest == bpf_htons(PORT);
}

#define FRAME(ctx) (void *)(long)(ctx)->data, (void *)(long)(ctx)->data_end

SEC("xdp")
int drop_xdp(struct xdp_md *ctx)
{
	if (!is_wanted(FRAME(ctx)))
		return XDP_PASS;
	__sync_fetch_and_add(&seen, 1);
	return XDP_DROP;
}

SEC("xdp")
int pass_xdp(struct xdp_md *ctx)
{
	if (is_wanted(FRAME(ctx)))
		__sync_fetch_and_add(&seen, 100);
	return XDP_PASS;
}

#define ORDERED(name, section, digit)                                                                                  \
	SEC(section)                                                                                                   \
	int name(struct __sk_buff *ctx)                                                                                \
	{                                                                                                              \
		if (is_wanted(FRAME(ctx)))                                                                             \
			order = order * 10 + digit;                                                                    \
		return TCX_NEXT;                                                                                       \
	}

ORDERED(tcx_1, "tcx/ingress", 1)
ORDERED(tcx_2, "tcx/ingress", 2)
ORDERED(tcx_3, "tcx/ingress", 3)

SEC("tcx/egress")
int drop_tcx(struct __sk_buff *ctx)
{
	if (!is_wanted(FRAME(ctx)))
		return TCX_PASS;
	__sync_fetch_and_add(&seen, 1);
	return TCX_DROP;
}

SEC("netkit/primary")
int drop_netkit(struct __sk_buff *ctx)
{
	__sync_fetch_and_add(&seen, 1);
	return TCX_DROP;
}

/* `enum netkit_action`: NETKIT_PASS is 0. Those that come after it do not run. */
SEC("netkit/primary")
int pass_netkit(struct __sk_buff *ctx)
{
	__sync_fetch_and_add(&order, 1);
	return 0;
}

SEC("netkit/peer")
int drop_netkit_peer(struct __sk_buff *ctx)
{
	__sync_fetch_and_add(&seen, 1);
	return TCX_DROP;
}

/* Asks for the packet's hash, for which the kernel dissects it. */
SEC("tcx/egress")
int hash_tcx(struct __sk_buff *ctx)
{
	if (is_wanted(FRAME(ctx))) {
		bpf_set_hash_invalid(ctx);
		bpf_get_hash_recalc(ctx);
	}
	return TCX_PASS;
}

SEC("flow_dissector")
int dissect(struct __sk_buff *ctx)
{
	__sync_fetch_and_add(&dissected, 1);
	return BPF_OK;
}

SEC("sk_lookup")
int refuse_lookup(struct bpf_sk_lookup *ctx)
{
	if (ctx->local_port != PORT)
		return SK_PASS;
	__sync_fetch_and_add(&seen, 1);
	return SK_DROP;
}

SEC("netfilter")
int drop_netfilter(void *ctx)
{
	__sync_fetch_and_add(&seen, 1);
	return 0;
}

SEC("cgroup/connect4")
int refuse_connect(struct bpf_sock_addr *ctx)
{
	if (ctx->user_port != bpf_htons(PORT))
		return 1;
	__sync_fetch_and_add(&seen, 1);
	return 0;
}

SEC("cgroup/connect4")
int connect_1(struct bpf_sock_addr *ctx)
{
	order = order * 10 + 1;
	return 1;
}

SEC("cgroup/connect4")
int connect_2(struct bpf_sock_addr *ctx)
{
	order = order * 10 + 2;
	return 1;
}

SEC("socket")
int drop_socket(struct __sk_buff *ctx)
{
	__sync_fetch_and_add(&seen, 1);
	return 0;
}

SEC("sk_skb/verdict")
int redirect_sockmap(struct __sk_buff *ctx)
{
	__sync_fetch_and_add(&seen, ctx->len);
	return bpf_sk_redirect_map(ctx, &sockets, 0, BPF_F_INGRESS);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
