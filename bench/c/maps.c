// SPDX-License-Identifier: Apache-2.0
/*
 * The reference of the `maps` benchmark: every map operation by the same system call, in C.
 * maps CASE PASSES prints nanoseconds an operation and the checksum.
 */
#include "bpf-calls.h"

#define ENTRIES 10000u
#define MANY 1000000u
#define SPREAD 7919u
#define BATCH 4096u

struct lpm_key {
	uint32_t prefix;
	uint32_t address;
};

static unsigned possible_cpus(void)
{
	unsigned first = 0, last = 0;
	FILE *file = fopen("/sys/devices/system/cpu/possible", "r");

	if (!file)
		fail("/sys/devices/system/cpu/possible");
	if (fscanf(file, "%u-%u", &first, &last) < 2)
		last = first;
	fclose(file);
	return last + 1;
}

static uint32_t spread(uint32_t i)
{
	return i * SPREAD % ENTRIES;
}

static long element(int command, union bpf_attr *attr)
{
	long result = sys_bpf(command, attr, ELEMENT_ATTR_SIZE);

	if (result)
		fail("map operation");
	return result;
}

static int sized_hash(uint32_t entries)
{
	return create_map(BPF_MAP_TYPE_HASH, 4, 8, entries);
}

/* Key k holds 3k + 1. */
static void fill(int map, uint32_t entries)
{
	union bpf_attr attr;
	uint32_t key;
	uint64_t value;

	element_attr(&attr, map, &key, &value);
	for (key = 0; key < entries; key++) {
		value = key * 3ull + 1;
		element(BPF_MAP_UPDATE_ELEM, &attr);
	}
}

static uint64_t sum_of(int map, uint32_t entries)
{
	union bpf_attr attr;
	uint32_t key;
	uint64_t value, sum = 0;

	element_attr(&attr, map, &key, &value);
	for (key = 0; key < entries; key++) {
		element(BPF_MAP_LOOKUP_ELEM, &attr);
		sum += value;
	}
	return sum;
}

static void print(double elapsed, double operations, uint64_t sum)
{
	printf("%f %lu\n", elapsed / operations, sum);
}

static void lookup(int map, unsigned passes)
{
	union bpf_attr attr;
	uint32_t key;
	uint64_t value, sum = 0;
	double start;

	fill(map, ENTRIES);
	element_attr(&attr, map, &key, &value);
	start = now();
	for (unsigned pass = 0; pass < passes; pass++)
		for (unsigned i = 0; i < ENTRIES; i++) {
			key = spread(i);
			element(BPF_MAP_LOOKUP_ELEM, &attr);
			sum += value;
		}
	print(now() - start, passes * (double)ENTRIES, sum);
}

static void update(int map, unsigned passes)
{
	union bpf_attr attr;
	uint32_t key;
	uint64_t value;
	double start, end;

	fill(map, ENTRIES);
	element_attr(&attr, map, &key, &value);
	start = now();
	for (unsigned pass = 0; pass < passes; pass++)
		for (unsigned i = 0; i < ENTRIES; i++) {
			key = spread(i);
			value = i + pass;
			element(BPF_MAP_UPDATE_ELEM, &attr);
		}
	end = now();
	print(end - start, passes * (double)ENTRIES, sum_of(map, ENTRIES));
}

static void remove_all(unsigned passes)
{
	int map = sized_hash(ENTRIES);
	union bpf_attr attr;
	uint32_t key;
	double elapsed = 0;

	element_attr(&attr, map, &key, NULL);
	for (unsigned pass = 0; pass < passes; pass++) {
		double start;

		fill(map, ENTRIES);
		start = now();
		for (unsigned i = 0; i < ENTRIES; i++) {
			key = spread(i);
			element(BPF_MAP_DELETE_ELEM, &attr);
		}
		elapsed += now() - start;
	}
	print(elapsed, passes * (double)ENTRIES, passes);
}

static void take_all(unsigned passes)
{
	int map = sized_hash(ENTRIES);
	union bpf_attr attr;
	uint32_t key;
	uint64_t value, sum = 0;
	double elapsed = 0;

	element_attr(&attr, map, &key, &value);
	for (unsigned pass = 0; pass < passes; pass++) {
		double start;

		fill(map, ENTRIES);
		start = now();
		for (unsigned i = 0; i < ENTRIES; i++) {
			key = spread(i);
			element(BPF_MAP_LOOKUP_AND_DELETE_ELEM, &attr);
			sum += value;
		}
		elapsed += now() - start;
	}
	print(elapsed, passes * (double)ENTRIES, sum);
}

static void next_key(unsigned passes)
{
	int map = sized_hash(ENTRIES);
	union bpf_attr attr;
	uint32_t key;
	uint64_t sum = 0;
	double start;

	fill(map, ENTRIES);
	start = now();
	for (unsigned pass = 0; pass < passes; pass++) {
		element_attr(&attr, map, NULL, NULL);
		attr.next_key = (uintptr_t)&key;
		while (!sys_bpf(BPF_MAP_GET_NEXT_KEY, &attr, ELEMENT_ATTR_SIZE)) {
			sum += key;
			attr.key = (uintptr_t)&key;
		}
	}
	print(now() - start, passes * (double)ENTRIES, sum);
}

static void per_cpu_lookup(unsigned passes)
{
	int map = create_map(BPF_MAP_TYPE_PERCPU_HASH, 4, 8, ENTRIES);
	unsigned cpus = possible_cpus();
	uint64_t *values = calloc(cpus, sizeof(*values));
	union bpf_attr attr;
	uint32_t key;
	uint64_t sum = 0;
	double start;

	element_attr(&attr, map, &key, values);
	for (key = 0; key < ENTRIES; key++) {
		for (unsigned cpu = 0; cpu < cpus; cpu++)
			values[cpu] = key * 3ull + cpu;
		element(BPF_MAP_UPDATE_ELEM, &attr);
	}
	start = now();
	for (unsigned pass = 0; pass < passes; pass++)
		for (unsigned i = 0; i < ENTRIES; i++) {
			key = spread(i);
			element(BPF_MAP_LOOKUP_ELEM, &attr);
			for (unsigned cpu = 0; cpu < cpus; cpu++)
				sum += values[cpu];
		}
	print(now() - start, passes * (double)ENTRIES, sum);
}

static void lpm_lookup(unsigned passes)
{
	int map = create_map_with(BPF_MAP_TYPE_LPM_TRIE, sizeof(struct lpm_key), 8, ENTRIES, BPF_F_NO_PREALLOC);
	struct lpm_key key = { .prefix = 32 };
	union bpf_attr attr;
	uint64_t value, sum = 0;
	double start;

	element_attr(&attr, map, &key, &value);
	for (key.address = 0; key.address < ENTRIES; key.address++) {
		value = key.address * 3ull + 1;
		element(BPF_MAP_UPDATE_ELEM, &attr);
	}
	start = now();
	for (unsigned pass = 0; pass < passes; pass++)
		for (unsigned i = 0; i < ENTRIES; i++) {
			key.address = spread(i);
			element(BPF_MAP_LOOKUP_ELEM, &attr);
			sum += value;
		}
	print(now() - start, passes * (double)ENTRIES, sum);
}

/* Pushes all, then pops all; an operation is one of either. */
static void queue(unsigned passes)
{
	int map = create_map(BPF_MAP_TYPE_QUEUE, 0, 8, ENTRIES);
	union bpf_attr attr;
	uint64_t value, sum = 0;
	double start;

	element_attr(&attr, map, NULL, &value);
	start = now();
	for (unsigned pass = 0; pass < passes; pass++) {
		for (unsigned i = 0; i < ENTRIES; i++) {
			value = i;
			element(BPF_MAP_UPDATE_ELEM, &attr);
		}
		for (unsigned i = 0; i < ENTRIES; i++) {
			element(BPF_MAP_LOOKUP_AND_DELETE_ELEM, &attr);
			sum += value * (i & 7);
		}
	}
	print(now() - start, 2 * passes * (double)ENTRIES, sum);
}

static uint32_t keys[MANY];
static uint64_t values[MANY];

static void batch_attr(union bpf_attr *attr, int map, uint64_t *position)
{
	memset(attr, 0, sizeof(*attr));
	attr->batch.map_fd = map;
	attr->batch.out_batch = (uintptr_t)position;
	attr->batch.keys = (uintptr_t)keys;
	attr->batch.values = (uintptr_t)values;
}

/* Every entry, BATCH at a time. */
static uint64_t read_batches(int map, int command)
{
	union bpf_attr attr;
	uint64_t position, sum = 0;
	long result = 0;

	batch_attr(&attr, map, &position);
	while (!result) {
		attr.batch.count = BATCH;
		result = sys_bpf(command, &attr, sizeof(attr.batch));
		attr.batch.in_batch = (uintptr_t)&position;
		for (unsigned i = 0; i < attr.batch.count; i++)
			sum += keys[i] + values[i];
	}
	return sum;
}

static void write_batches(int map, int command, uint32_t entries)
{
	union bpf_attr attr;

	for (uint32_t at = 0; at < entries; at += BATCH) {
		uint32_t count = entries - at < BATCH ? entries - at : BATCH;

		memset(&attr, 0, sizeof(attr));
		attr.batch.map_fd = map;
		attr.batch.keys = (uintptr_t)(keys + at);
		attr.batch.values = command == BPF_MAP_DELETE_BATCH ? 0 : (uintptr_t)(values + at);
		attr.batch.count = count;
		if (sys_bpf(command, &attr, sizeof(attr.batch)))
			fail("batch");
	}
}

static void entries_to_write(uint32_t entries)
{
	for (uint32_t i = 0; i < entries; i++) {
		keys[i] = i;
		values[i] = i * 3ull + 1;
	}
}

static void batch_lookup(uint32_t entries, unsigned passes)
{
	int map = sized_hash(entries);
	uint64_t sum = 0;
	double start = 0;

	entries_to_write(entries);
	write_batches(map, BPF_MAP_UPDATE_BATCH, entries);
	/* The first pass is not timed: it brings the buffers in. */
	for (unsigned pass = 0; pass <= passes; pass++) {
		if (pass == 1) {
			sum = 0;
			start = now();
		}
		sum += read_batches(map, BPF_MAP_LOOKUP_BATCH);
	}
	print(now() - start, passes * (double)entries, sum);
}

static void batch_update(unsigned passes)
{
	int map = sized_hash(ENTRIES);
	double start, end;

	entries_to_write(ENTRIES);
	start = now();
	for (unsigned pass = 0; pass < passes; pass++)
		write_batches(map, BPF_MAP_UPDATE_BATCH, ENTRIES);
	end = now();
	print(end - start, passes * (double)ENTRIES, sum_of(map, ENTRIES));
}

static void batch_delete(unsigned passes)
{
	int map = sized_hash(ENTRIES);
	double elapsed = 0;

	entries_to_write(ENTRIES);
	for (unsigned pass = 0; pass < passes; pass++) {
		double start;

		write_batches(map, BPF_MAP_UPDATE_BATCH, ENTRIES);
		start = now();
		write_batches(map, BPF_MAP_DELETE_BATCH, ENTRIES);
		elapsed += now() - start;
	}
	print(elapsed, passes * (double)ENTRIES, passes);
}

static void batch_take(unsigned passes)
{
	int map = sized_hash(ENTRIES);
	uint64_t sum = 0;
	double elapsed = 0;

	for (unsigned pass = 0; pass < passes; pass++) {
		double start;

		entries_to_write(ENTRIES);
		write_batches(map, BPF_MAP_UPDATE_BATCH, ENTRIES);
		start = now();
		sum += read_batches(map, BPF_MAP_LOOKUP_AND_DELETE_BATCH);
		elapsed += now() - start;
	}
	print(elapsed, passes * (double)ENTRIES, sum);
}

int main(int argc, char **argv)
{
	unsigned passes = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	const char *name = argc == 3 ? argv[1] : "";

	if (!strcmp(name, "hash-lookup"))
		lookup(sized_hash(ENTRIES), passes);
	else if (!strcmp(name, "hash-update"))
		update(sized_hash(ENTRIES), passes);
	else if (!strcmp(name, "hash-delete"))
		remove_all(passes);
	else if (!strcmp(name, "hash-take"))
		take_all(passes);
	else if (!strcmp(name, "hash-next"))
		next_key(passes);
	else if (!strcmp(name, "array-lookup"))
		lookup(create_map(BPF_MAP_TYPE_ARRAY, 4, 8, ENTRIES), passes);
	else if (!strcmp(name, "array-update"))
		update(create_map(BPF_MAP_TYPE_ARRAY, 4, 8, ENTRIES), passes);
	else if (!strcmp(name, "lru-lookup"))
		lookup(create_map(BPF_MAP_TYPE_LRU_HASH, 4, 8, 4 * ENTRIES), passes);
	else if (!strcmp(name, "per-cpu-lookup"))
		per_cpu_lookup(passes);
	else if (!strcmp(name, "lpm-lookup"))
		lpm_lookup(passes);
	else if (!strcmp(name, "queue"))
		queue(passes);
	else if (!strcmp(name, "batch-lookup"))
		batch_lookup(ENTRIES, passes);
	else if (!strcmp(name, "batch-update"))
		batch_update(passes);
	else if (!strcmp(name, "batch-delete"))
		batch_delete(passes);
	else if (!strcmp(name, "batch-take"))
		batch_take(passes);
	else if (!strcmp(name, "iterate"))
		batch_lookup(MANY, passes);
	else
		return 2;
	return 0;
}
