// SPDX-License-Identifier: Apache-2.0
/*
 * The reference of the `vm` benchmark: the same C, compiled by gcc.
 * vm CASE PASSES prints what one pass took and the checksum; packets are told one by one, in nanoseconds, the rest in
 * microseconds.
 */
#define FROM(number) (number)
#define GO_ON 1
#define INDEX(i, size) (i)
#include "../bpf/vm-kernels.bpf.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUCKETS 1024u

/* A packet as a program is given it. */
struct context {
	const __u8 *data, *end;
};

/* A chained hash of fixed size, as the engines' is. */
struct entry {
	__u32 next;
	__u32 key;
	__u64 value;
};

static struct context contexts[PACKETS];
static __u32 verdicts[PACKETS];
static __u32 heads[BUCKETS];
/* Number 0 is no entry. */
static struct entry entries[KEYS + 1];

static __u32 empty_helper(__u32 argument)
{
	return 0;
}

/* Through pointers that could change any time: gcc must not look into what it calls. */
static __u32 (*volatile helper)(__u32) = empty_helper;

static __u32 bucket_of(__u32 key)
{
	return key * 0x9e3779b1u >> 22;
}

/* As a map of a library is used: by a call, and a pointer to the key. */
static __attribute__((noinline)) __u64 *lookup(const __u32 *key)
{
	for (__u32 at = heads[bucket_of(*key)]; at; at = entries[at].next)
		if (entries[at].key == *key)
			return &entries[at].value;
	return NULL;
}

static void prepare(void)
{
	fill_buffer();
	build_packets();
	for (__u32 i = 0; i < PACKETS; i++) {
		contexts[i].data = packets[i].bytes;
		contexts[i].end = packets[i].bytes + packets[i].length;
	}
	for (__u32 i = 0; i < KEYS; i++) {
		__u32 key = key_of(i), bucket = bucket_of(key);

		entries[i + 1] = (struct entry){ .next = heads[bucket], .key = key };
		heads[bucket] = i + 1;
	}
}

static __u32 run_fnv(void)
{
	return fnv((const __u8 *)buffer, hashed_bytes);
}

static __u32 run_siphash(void)
{
	return siphash(buffer, hashed_bytes);
}

static __u32 run_checksum(void)
{
	return checksum_of(sum_words((const __u32 *)buffer, checksum_bytes));
}

static __u32 increment(void)
{
	__u32 found = 0;

	for (__u32 i = 0; i < KEYS; i++) {
		__u32 key = key_of(i);
		__u64 *value = lookup(&key);

		if (value) {
			++*value;
			found++;
		}
	}
	return found;
}

static __u32 call_helper(void)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < HELPER_CALLS; i++) {
		helper(i);
		sum += i;
	}
	return sum;
}

static __u32 parse_context(const struct context *context)
{
	return parse(context->data, context->end);
}

static __u32 (*volatile parse_one)(const struct context *) = parse_context;

static __u32 sum_of_verdicts(void)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < PACKETS; i++)
		sum += (i + 1) * verdicts[i];
	return sum;
}

static __u32 parse_singly(void)
{
	for (__u32 i = 0; i < PACKETS; i++)
		verdicts[i] = parse_one(&contexts[i]);
	return sum_of_verdicts();
}

static __u32 parse_batch(void)
{
	for (__u32 i = 0; i < PACKETS; i++)
		verdicts[i] = parse_context(&contexts[i]);
	return sum_of_verdicts();
}

static const struct test {
	const char *name;
	__u32 (*run)(void);
	/* Nanoseconds of the unit that is told. */
	double unit;
} tests[] = {
	{ "prime", count_primes, 1000 },
	{ "gcd", sum_of_gcds, 1000 },
	{ "fnv", run_fnv, 1000 },
	{ "siphash", run_siphash, 1000 },
	{ "checksum", run_checksum, 1000 },
	{ "shellsort", shellsort, 1000 },
	{ "increment", increment, 1000 },
	{ "helper", call_helper, 1000 },
	{ "parse-singly", parse_singly, PACKETS },
	{ "parse-batch", parse_batch, PACKETS },
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

/* The fastest of ten parts: what else runs on the machine only adds to the others. */
#define PARTS 10

static void measure(const struct test *test, unsigned passes)
{
	__u32 (*volatile run)(void) = test->run;
	double fastest = 1e300;
	__u32 result = 0;

	prepare();
	for (unsigned i = 0; i < passes / 4; i++)
		run();
	for (unsigned part = 0; part < PARTS; part++) {
		double start = now(), taken;

		for (unsigned i = 0; i < passes / PARTS; i++)
			result = run();
		taken = now() - start;
		if (taken < fastest)
			fastest = taken;
	}
	printf("%f %u\n", fastest / (passes / PARTS) / test->unit, result);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	for (unsigned i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		if (!strcmp(argv[1], tests[i].name)) {
			measure(&tests[i], strtoul(argv[2], NULL, 10));
			return 0;
		}
	return 2;
}
