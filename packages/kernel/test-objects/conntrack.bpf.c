// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Calls functions of a module, where there are such: nf_conntrack has had them since Linux 6.1. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define IPPROTO_TCP 6
#define ENOENT 2

struct nf_conn;

struct bpf_ct_opts {
	__s32 netns_id;
	__s32 error;
	__u8 l4proto;
	__u8 dir;
	__u8 reserved[2];
};

extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *packet, struct bpf_sock_tuple *tuple, __u32 tuple_size,
					 struct bpf_ct_opts *options, __u32 options_size) __ksym __weak;
extern void bpf_ct_release(struct nf_conn *connection) __ksym __weak;

/* 1: no such function; 2: a connection; 3: none; 4: the function has refused what it was asked. */
SEC("tc")
int look_up(struct __sk_buff *packet)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_ct_opts options = { .netns_id = -1, .l4proto = IPPROTO_TCP };
	struct nf_conn *connection;

	if (!bpf_skb_ct_lookup || !bpf_ct_release)
		return 1;
	connection = bpf_skb_ct_lookup(packet, &tuple, sizeof(tuple.ipv4), &options, sizeof(options));
	if (connection) {
		bpf_ct_release(connection);
		return 2;
	}
	return options.error == -ENOENT ? 3 : 4;
}

char LICENSE[] SEC("license") = "GPL";
