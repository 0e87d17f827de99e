/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the `vm` benchmark computes, in C that gcc and clang -target bpf both take: ../c/vm.c makes a native program of it,
 * vm.bpf.c one for the userspace engine, vm-jit.bpf.c one for the kernel. Who includes it defines what the kernel's verifier
 * asks for: FROM(number), where a long loop begins, GO_ON, a condition that it has beside its own, and INDEX(i, size), an
 * index into an array.
 */
#ifndef SKEP_BENCH_VM_KERNELS_H
#define SKEP_BENCH_VM_KERNELS_H

#include <linux/bpf.h>
#include <linux/types.h>

#define KERNEL static inline __attribute__((always_inline))

#define PRIMES_BELOW 12000u
#define GCD_PAIRS 200u
#define HASHED_BYTES (64u << 10)
#define CHECKSUM_BYTES (1u << 20)
#define SORTED 4096u
#define KEYS 1000u
#define HELPER_CALLS 1000u
#define PACKETS 64u

struct packet {
	__u32 length;
	__u8 bytes[124];
};

/* A data section each: the engine's pointers and the native ones are known alike when the program is compiled. */
static __u64 buffer[CHECKSUM_BYTES / 8];
static __u32 sorted[SORTED];
struct packet packets[PACKETS];

/* gcc would vectorise a loop whose length it knows; these are lengths as functions are given them. */
const volatile __u32 hashed_bytes = HASHED_BYTES;
const volatile __u32 checksum_bytes = CHECKSUM_BYTES;

KERNEL void fill_buffer(void)
{
	__u64 state = 0x9e3779b97f4a7c15;

	for (__u32 i = FROM(0); i < CHECKSUM_BYTES / 8 && GO_ON; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		buffer[INDEX(i, CHECKSUM_BYTES / 8)] = state;
	}
}

KERNEL __u32 fold(__u64 wide)
{
	return wide ^ wide >> 32;
}

KERNEL __u32 count_primes(void)
{
	__u32 count = 0;

	for (__u32 n = FROM(2); n < PRIMES_BELOW && GO_ON; n++) {
		__u32 prime = 1;

		for (__u32 d = FROM(2); d * d <= n && GO_ON; d++)
			if (n % d == 0) {
				prime = 0;
				break;
			}
		count += prime;
	}
	return count;
}

KERNEL __u32 sum_of_gcds(void)
{
	__u32 sum = 0;

	for (__u32 i = FROM(1); i <= GCD_PAIRS && GO_ON; i++)
		for (__u32 j = FROM(1); j <= GCD_PAIRS && GO_ON; j++) {
			__u32 a = i, b = j;

			while (b && GO_ON) {
				__u32 rest = a % b;

				a = b;
				b = rest;
			}
			sum += a;
		}
	return sum;
}

/* FNV-1a, 64 bits. */
KERNEL __u32 fnv(const __u8 *bytes, __u32 length)
{
	__u64 hash = 0xcbf29ce484222325;

	for (__u32 i = 0; i < length; i++) {
		hash ^= bytes[i];
		hash *= 0x100000001b3;
	}
	return fold(hash);
}

KERNEL __u64 rotate(__u64 word, int bits)
{
	return word << bits | word >> (64 - bits);
}

struct sip {
	__u64 a, b, c, d;
};

KERNEL void sip_round(struct sip *v)
{
	v->a += v->b;
	v->b = rotate(v->b, 13) ^ v->a;
	v->a = rotate(v->a, 32);
	v->c += v->d;
	v->d = rotate(v->d, 16) ^ v->c;
	v->a += v->d;
	v->d = rotate(v->d, 21) ^ v->a;
	v->c += v->b;
	v->b = rotate(v->b, 17) ^ v->c;
	v->c = rotate(v->c, 32);
}

/* SipHash-2-4 of whole words, with the key 00 01 .. 0f of its paper. */
KERNEL __u32 siphash(const __u64 *words, __u32 length)
{
	const __u64 key0 = 0x0706050403020100, key1 = 0x0f0e0d0c0b0a0908;
	const __u64 last = (__u64)length << 56;
	struct sip v = {
		.a = key0 ^ 0x736f6d6570736575,
		.b = key1 ^ 0x646f72616e646f6d,
		.c = key0 ^ 0x6c7967656e657261,
		.d = key1 ^ 0x7465646279746573,
	};

	for (__u32 i = 0; i < length / 8; i++) {
		v.d ^= words[i];
		sip_round(&v);
		sip_round(&v);
		v.a ^= words[i];
	}
	v.d ^= last;
	sip_round(&v);
	sip_round(&v);
	v.a ^= last;
	v.c ^= 0xff;
	sip_round(&v);
	sip_round(&v);
	sip_round(&v);
	sip_round(&v);
	return fold(v.a ^ v.b ^ v.c ^ v.d);
}

KERNEL __u64 sum_words(const __u32 *words, __u32 length)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < length / 4; i++)
		sum += words[i];
	return sum;
}

/* The internet's checksum (RFC 1071) from a sum in whose upper half are the carries. */
KERNEL __u32 checksum_of(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* Shell's sort, with Knuth's gaps, of numbers that are made anew each time. */
KERNEL __u32 shellsort(void)
{
	__u32 state = 12345, sum = 0;

	for (__u32 i = 0; i < SORTED; i++) {
		state = state * 1664525 + 1013904223;
		sorted[i] = state;
	}
	for (__u32 gap = FROM(1093); gap > 0 && GO_ON; gap /= 3)
		for (__u32 i = gap; i < SORTED && GO_ON; i = FROM(i + 1)) {
			__u32 value = sorted[INDEX(i, SORTED)];
			__u32 j = i;

			while (j >= gap && GO_ON) {
				__u32 before = sorted[INDEX(j - gap, SORTED)];

				if (before <= value)
					break;
				sorted[INDEX(j, SORTED)] = before;
				j -= gap;
			}
			sorted[INDEX(j, SORTED)] = value;
		}
	for (__u32 i = 0; i < SORTED; i++)
		sum = sum * 31 + sorted[i];
	return sum;
}

/* Unlike any other key's: prime to 2^32. */
KERNEL __u32 key_of(__u32 i)
{
	return i * 2654435761u;
}

#define BIG16(value) ((__u16)((__u16)(value) << 8 | (__u16)(value) >> 8))

struct ethernet {
	__u16 addresses[6];
	__u16 type;
};

struct vlan {
	__u16 tag;
	__u16 type;
};

struct ipv4 {
	__u8 version_length;
	__u8 service;
	__u16 length;
	__u16 id;
	__u16 fragment;
	__u8 ttl;
	__u8 protocol;
	__u16 checksum;
	__u16 addresses[4];
};

struct ipv6 {
	__u16 version[2];
	__u16 length;
	__u8 next;
	__u8 hops;
	__u16 addresses[16];
};

struct tcp {
	__u16 source;
	__u16 destination;
	__u16 sequence[4];
	__u8 length;
	__u8 flags;
	__u16 window;
	__u16 checksum;
	__u16 urgent;
};

struct udp {
	__u16 source;
	__u16 destination;
	__u16 length;
	__u16 checksum;
};

enum {
	TYPE_VLAN = 0x8100,
	TYPE_SERVICE_VLAN = 0x88a8,
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	TCP_SYN = 2,
	TCP_ACK = 16,
};

/* What a filter makes of a packet: an XDP action. */
KERNEL __u32 parse(const __u8 *at, const __u8 *end)
{
	const struct ethernet *ethernet = (const void *)at;
	__u16 type;
	__u8 protocol;

	at += sizeof(*ethernet);
	if (at > end)
		return XDP_ABORTED;
	type = ethernet->type;
#pragma GCC unroll 2
	for (int tags = 0; tags < 2; tags++) {
		const struct vlan *vlan = (const void *)at;

		if (type != BIG16(TYPE_VLAN) && type != BIG16(TYPE_SERVICE_VLAN))
			break;
		at += sizeof(*vlan);
		if (at > end)
			return XDP_ABORTED;
		type = vlan->type;
	}
	if (type == BIG16(TYPE_IPV4)) {
		const struct ipv4 *ip = (const void *)at;
		__u32 length;

		if (at + sizeof(*ip) > end)
			return XDP_ABORTED;
		length = (ip->version_length & 15) * 4;
		if (ip->version_length >> 4 != 4 || length < sizeof(*ip))
			return XDP_DROP;
		/* Of a fragment but the first there is nothing to see. */
		if (ip->fragment & BIG16(0x1fff))
			return XDP_PASS;
		if (ip->ttl <= 1)
			return XDP_DROP;
		protocol = ip->protocol;
		at += length;
	} else if (type == BIG16(TYPE_IPV6)) {
		const struct ipv6 *ip = (const void *)at;

		at += sizeof(*ip);
		if (at > end)
			return XDP_ABORTED;
		if (ip->hops <= 1)
			return XDP_DROP;
		protocol = ip->next;
	} else {
		return XDP_PASS;
	}
	if (protocol == PROTOCOL_TCP) {
		const struct tcp *tcp = (const void *)at;

		if (at + sizeof(*tcp) > end)
			return XDP_ABORTED;
		if (tcp->length >> 4 < 5)
			return XDP_DROP;
		if (tcp->destination == BIG16(443) || tcp->destination == BIG16(80))
			return XDP_TX;
		return (tcp->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN ? XDP_DROP : XDP_PASS;
	}
	if (protocol == PROTOCOL_UDP) {
		const struct udp *udp = (const void *)at;

		if (at + sizeof(*udp) > end)
			return XDP_ABORTED;
		if (udp->destination == BIG16(53))
			return XDP_REDIRECT;
		return udp->source == BIG16(123) ? XDP_DROP : XDP_PASS;
	}
	return XDP_PASS;
}

/* Writes IP and what is in it, and returns how many bytes that is. The number decides what it shall be. */
KERNEL __u32 build_ip(__u8 *at, __u32 number, __u16 *type)
{
	__u32 length;
	__u8 protocol = number % 16 == 15 ? 1 : number & 1 ? PROTOCOL_UDP : PROTOCOL_TCP;

	if (number % 3 == 0) {
		struct ipv6 *ip = (void *)at;

		*type = BIG16(TYPE_IPV6);
		ip->version[0] = BIG16(0x6000);
		ip->length = BIG16(20);
		ip->next = protocol;
		ip->hops = number % 11 == 0 ? 1 : 64;
		length = sizeof(*ip);
		at += sizeof(*ip);
	} else {
		struct ipv4 *ip = (void *)at;

		*type = BIG16(TYPE_IPV4);
		ip->version_length = 0x45;
		ip->length = BIG16(40);
		ip->fragment = number % 13 == 0 ? BIG16(185) : BIG16(0x4000);
		ip->ttl = 64;
		ip->protocol = protocol;
		length = sizeof(*ip);
		at += sizeof(*ip);
	}
	if (protocol == PROTOCOL_TCP) {
		struct tcp *tcp = (void *)at;

		tcp->destination = number % 5 == 0 ? BIG16(443) : BIG16(22);
		tcp->length = 5 << 4;
		tcp->flags = number % 7 < 3 ? TCP_SYN : TCP_ACK;
	} else {
		struct udp *udp = (void *)at;

		udp->source = number % 7 == 0 ? BIG16(123) : BIG16(40000);
		udp->destination = number % 5 == 0 ? BIG16(53) : BIG16(8080);
	}
	/* Now and then too short for TCP. */
	return length + (number % 17 == 16 ? 4 : sizeof(struct tcp));
}

/* A packet of the set: TCP or UDP over IPv4 or IPv6 with up to two VLAN tags, some of them odd. */
KERNEL void build_packet(struct packet *packet, __u32 number)
{
	struct ethernet *ethernet = (void *)packet->bytes;
	struct vlan *vlans = (void *)(packet->bytes + sizeof(*ethernet));
	__u32 tags = number % 8 == 1 ? 1 : number % 8 == 2 ? 2 : 0;
	__u32 length = sizeof(*ethernet) + tags * sizeof(*vlans);
	__u16 type;

	if (tags == 0) {
		length += build_ip(packet->bytes + sizeof(*ethernet), number, &type);
		ethernet->type = number % 32 == 31 ? BIG16(0x0806) : type;
	} else if (tags == 1) {
		length += build_ip(packet->bytes + sizeof(*ethernet) + sizeof(*vlans), number, &type);
		ethernet->type = BIG16(TYPE_VLAN);
		vlans[0].type = type;
	} else {
		length += build_ip(packet->bytes + sizeof(*ethernet) + 2 * sizeof(*vlans), number, &type);
		ethernet->type = BIG16(TYPE_SERVICE_VLAN);
		vlans[0].type = BIG16(TYPE_VLAN);
		vlans[1].type = type;
	}
	packet->length = length;
}

KERNEL void build_packets(void)
{
	for (__u32 i = FROM(0); i < PACKETS && GO_ON; i++)
		build_packet(&packets[INDEX(i, PACKETS)], i);
}

#endif
