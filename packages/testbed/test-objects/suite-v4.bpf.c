// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* skep: cpu=v4 */
/* Engine suite: instructions of version 4 (Linux 6.6). */
#include <skep/bpf.h>

__s64 in[4];
__s64 out[12];
__s8 small[4] = { -1, 2, -3, 4 };
__s16 medium = -300;
__s32 large = -70000;

SEC("tc")
int version4(struct __sk_buff *skb)
{
	__s64 a = in[0], b = in[1];

	out[0] = a / b;
	out[1] = a % b;
	out[2] = (__s32)a / (__s32)b;
	out[3] = (__s32)a % (__s32)b;
	out[4] = (__s8)a;
	out[5] = (__s16)in[2];
	out[6] = (__s32)in[2];
	out[7] = small[2];
	out[8] = medium;
	out[9] = large;
	out[10] = __builtin_bswap64(in[2]);
	out[11] = __builtin_bswap16((__u16)in[2]);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
