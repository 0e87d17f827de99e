// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Engine suite: variables, functions, callbacks, atomics and helpers that need no packet. */
#include <skep/bpf.h>

struct pair {
	__u64 count;
	__u32 size;
};

enum colour { RED, GREEN = 5 };

const volatile __u32 constant = 7;
const volatile char text[8] = "skep";
__u64 wide = 1;
__u32 narrow = 2;
__u16 half = 3;
__u8 byte = 4;
__s64 negative = -5;
bool flag = true;
enum colour colour = GREEN;
struct pair pair = { 4, 5 };
__u32 words[4] = { 1, 2, 3, 4 };
__u64 zeros;

/* Adds 1 to every variable. */
SEC("tc")
int count(struct __sk_buff *skb)
{
	wide++;
	narrow++;
	half++;
	byte++;
	negative++;
	flag = !flag;
	colour = RED;
	pair.count++;
	pair.size++;
	for (int i = 0; i < 4; i++)
		words[i]++;
	zeros++;
	return (int)(constant + (text[0] == 's'));
}

SEC("tc")
int minus_one(struct __sk_buff *skb)
{
	return -1;
}

__u64 in[4];
__s64 out[16];

static __noinline __u64 power(__u64 base, __u32 exponent)
{
	__u64 product = 1;

	for (int i = 0; i < 16 && i < exponent; i++)
		product *= base;
	return product;
}

/* Through the stack of the caller. */
static __noinline void swap(__u64 *a, __u64 *b)
{
	__u64 kept = *a;

	*a = *b;
	*b = kept;
}

__noinline int global_sum(int a, int b, int c, int d, int e)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e;
}

#define LEVEL(n, next)												\
	static __noinline __u64 level##n(__u64 x)								\
	{													\
		volatile __u64 kept = x;									\
		__u64 deeper = next;										\
		return kept * 10 + deeper;									\
	}

LEVEL(7, 7)
LEVEL(6, level7(x + 1))
LEVEL(5, level6(x + 1))
LEVEL(4, level5(x + 1))
LEVEL(3, level4(x + 1))
LEVEL(2, level3(x + 1))
LEVEL(1, level2(x + 1))

SEC("tc")
int functions(struct __sk_buff *skb)
{
	__u64 a = in[0], b = in[1];

	out[0] = power(in[0], (__u32)in[1]);
	swap(&a, &b);
	out[1] = a;
	out[2] = b;
	out[3] = global_sum(1, 2, 3, 4, 5);
	out[4] = level1(in[0]);
	return 0;
}

struct loop {
	__u64 sum;
	__u64 stop;
};

static long step(__u32 index, struct loop *loop)
{
	loop->sum += index;
	return index == loop->stop;
}

static long inner_step(__u32 index, __u64 *count)
{
	*count += 1;
	return 0;
}

static long outer_step(__u32 index, __u64 *count)
{
	bpf_loop(index, inner_step, count, 0);
	return 0;
}

SEC("tc")
int loops(struct __sk_buff *skb)
{
	struct loop loop = { .stop = in[1] };
	__u64 count = 0;

	out[0] = bpf_loop((__u32)in[0], step, &loop, 0);
	out[1] = loop.sum;
	/* An error has 32 bits or 64, as the kernel calls the helper or has put it into the program. */
	out[2] = (int)bpf_loop((1 << 23) + 1, step, &loop, 0);
	out[3] = (int)bpf_loop(1, step, &loop, 1);
	bpf_loop(10, outer_step, &count, 0);
	out[4] = count;
	return 0;
}

__u64 wide_word;
__u32 narrow_word;

SEC("tc")
int atomics(struct __sk_buff *skb)
{
	wide_word = in[0];
	out[0] = __sync_fetch_and_add(&wide_word, in[1]);
	out[1] = wide_word;
	out[2] = __sync_fetch_and_or(&wide_word, 0xf0);
	out[3] = __sync_fetch_and_and(&wide_word, ~1ULL);
	out[4] = __sync_fetch_and_xor(&wide_word, in[2]);
	out[5] = __sync_lock_test_and_set(&wide_word, in[3]);
	out[6] = __sync_val_compare_and_swap(&wide_word, in[3], 11);
	out[7] = __sync_val_compare_and_swap(&wide_word, in[3], 12);
	out[8] = wide_word;
	narrow_word = 0xffffffff;
	out[9] = __sync_fetch_and_add(&narrow_word, 3);
	out[10] = narrow_word;
	out[11] = __sync_val_compare_and_swap(&narrow_word, 2, 0x80000000);
	out[12] = __sync_lock_test_and_set(&narrow_word, 5);
	__sync_fetch_and_add(&wide_word, in[1]);
	out[13] = wide_word;
	return 0;
}

/* In assembler: what C leaves open. */
SEC("tc")
int division(struct __sk_buff *skb)
{
	__u64 a = in[0], zero = in[1], quotient, remainder, shifted;
	__u32 narrow_a = (__u32)a, narrow_zero = (__u32)zero, narrow_quotient, narrow_remainder, narrow_shifted;
	__u32 distance = (__u32)in[2];

	asm volatile("%[q] = %[a]\n\t"
		     "%[q] /= %[z]\n\t"
		     "%[r] = %[a]\n\t"
		     "%[r] %%= %[z]\n\t"
		     : [q] "=&r"(quotient), [r] "=&r"(remainder)
		     : [a] "r"(a), [z] "r"(zero));
	out[0] = quotient;
	out[1] = remainder;
	asm volatile("%[q] = %[a]\n\t"
		     "%[q] /= %[z]\n\t"
		     "%[r] = %[a]\n\t"
		     "%[r] %%= %[z]\n\t"
		     : [q] "=&w"(narrow_quotient), [r] "=&w"(narrow_remainder)
		     : [a] "w"(narrow_a), [z] "w"(narrow_zero));
	out[2] = narrow_quotient;
	out[3] = narrow_remainder;
	/* Only the lower 6, or 5, bits of a shift count. */
	asm volatile("%[s] = %[a]\n\t"
		     "%[s] <<= %[n]\n\t"
		     : [s] "=&r"(shifted)
		     : [a] "r"(a), [n] "r"(in[2]));
	out[4] = shifted;
	asm volatile("%[s] = %[a]\n\t"
		     "%[s] s>>= %[n]\n\t"
		     : [s] "=&w"(narrow_shifted)
		     : [a] "w"(narrow_a), [n] "w"(distance));
	out[5] = narrow_shifted;
	asm volatile("%[s] = %[a]\n\t"
		     "%[s] = be32 %[s]\n\t"
		     : [s] "=&r"(shifted)
		     : [a] "r"(a));
	out[6] = shifted;
	asm volatile("%[s] = %[a]\n\t"
		     "%[s] = le16 %[s]\n\t"
		     : [s] "=&r"(shifted)
		     : [a] "r"(a));
	out[7] = shifted;
	return 0;
}

char number[16];
char line[64];

SEC("tc")
int texts(struct __sk_buff *skb)
{
	static const char format[] = "%d %u %llx %s%%";
	__u64 values[] = { in[0], in[1], in[2], (__u64)(unsigned long)(const void *)&text };
	long parsed = 0;
	unsigned long natural = 0;
	char copy[16];

	__builtin_memcpy(copy, number, sizeof(copy));
	out[0] = bpf_strtol(copy, sizeof(copy), 0, &parsed);
	out[1] = parsed;
	out[2] = bpf_strtoul(copy, sizeof(copy), 16, &natural);
	out[3] = natural;
	out[4] = bpf_snprintf(line, sizeof(line), format, values, sizeof(values));
	out[5] = bpf_snprintf(line, 6, format, values, sizeof(values));
	bpf_snprintf(line, sizeof(line), format, values, sizeof(values));
	return 0;
}

SEC("tc")
int clocks(struct __sk_buff *skb)
{
	__u64 first = bpf_ktime_get_ns();

	out[0] = bpf_ktime_get_ns() >= first;
	out[1] = first > 0;
	out[2] = bpf_get_smp_processor_id();
	out[3] = bpf_get_prandom_u32();
	out[4] = bpf_get_prandom_u32();
	return 0;
}

SEC("tc")
int sums(struct __sk_buff *skb)
{
	__be32 from[2] = { 0x01020304, 0x05060708 }, to[3] = { 0x11121314, 0x15161718, 0x191a1b1c };

	out[0] = bpf_csum_diff(0, 0, to, sizeof(to), 0) & 0xffffffff;
	out[1] = bpf_csum_diff(from, sizeof(from), 0, 0, 0) & 0xffffffff;
	out[2] = bpf_csum_diff(from, sizeof(from), to, sizeof(to), 0x1234) & 0xffffffff;
	return 0;
}

struct arguments {
	__u64 a;
	__u64 b;
	__u64 sum;
};

/* Its context is the caller's own. */
SEC("syscall")
int call(struct arguments *arguments)
{
	arguments->sum = arguments->a + arguments->b;
	arguments->a = 0;
	return 99;
}

SEC("raw_tp/sched_switch")
int tracepoint(struct bpf_raw_tracepoint_args *ctx)
{
	out[0] = ctx->args[0];
	out[1] = ctx->args[1];
	return 12;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
