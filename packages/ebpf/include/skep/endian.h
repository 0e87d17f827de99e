/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_ENDIAN_H
#define SKEP_ENDIAN_H

/*
 * Byte order. Of constants the result is a constant too: for `case`, initializers and static assertions.
 */
#ifndef __BPF_ENDIAN__
#define __BPF_ENDIAN__

#define SKEP_SWAP_16(x) ((unsigned short)((((x) & 0x00ffU) << 8) | (((x) & 0xff00U) >> 8)))
#define SKEP_SWAP_32(x)												\
	((unsigned int)((((x) & 0x000000ffU) << 24) | (((x) & 0x0000ff00U) << 8) | (((x) & 0x00ff0000U) >> 8) |	\
			(((x) & 0xff000000U) >> 24)))
#define SKEP_SWAP_64(x)												\
	((unsigned long long)((((x) & 0x00000000000000ffULL) << 56) | (((x) & 0x000000000000ff00ULL) << 40) |	\
			      (((x) & 0x0000000000ff0000ULL) << 24) | (((x) & 0x00000000ff000000ULL) << 8) |	\
			      (((x) & 0x000000ff00000000ULL) >> 8) | (((x) & 0x0000ff0000000000ULL) >> 24) |	\
			      (((x) & 0x00ff000000000000ULL) >> 40) | (((x) & 0xff00000000000000ULL) >> 56)))

#define SKEP_SWAPPED(bits, x) (__builtin_constant_p(x) ? SKEP_SWAP_##bits(x) : __builtin_bswap##bits(x))
#define SKEP_SAME(bits, x) (x)

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SKEP_BIG SKEP_SWAPPED
#define SKEP_LITTLE SKEP_SAME
#elif __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define SKEP_BIG SKEP_SAME
#define SKEP_LITTLE SKEP_SWAPPED
#else
#error "the compiler does not say its byte order"
#endif

#define bpf_htons(x) SKEP_BIG(16, x)
#define bpf_ntohs(x) SKEP_BIG(16, x)
#define bpf_htonl(x) SKEP_BIG(32, x)
#define bpf_ntohl(x) SKEP_BIG(32, x)
#define bpf_cpu_to_be64(x) SKEP_BIG(64, x)
#define bpf_be64_to_cpu(x) SKEP_BIG(64, x)
#endif

#endif
