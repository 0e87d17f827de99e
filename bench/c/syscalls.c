// SPDX-License-Identifier: Apache-2.0
/*
 * The reference of the `syscalls` benchmark: the same operations by the same system calls, in C.
 * syscalls lookup|update|batch|ring COUNT prints nanoseconds an operation and the checksum.
 */
#include "bpf-calls.h"
#include <sys/mman.h>

#define ENTRIES 100000u
#define SPREAD 7919u
#define BATCH 4096u
#define RING_SIZE (1u << 24)

static int filled_hash(void)
{
	int map = create_map(BPF_MAP_TYPE_HASH, 4, 8, ENTRIES);
	union bpf_attr attr;
	uint32_t key;
	uint64_t value;

	element_attr(&attr, map, &key, &value);
	for (key = 0; key < ENTRIES; key++) {
		value = key * 3ull + 1;
		if (sys_bpf(BPF_MAP_UPDATE_ELEM, &attr, ELEMENT_ATTR_SIZE))
			fail("update");
	}
	return map;
}

static uint64_t sum_of_entries(int map)
{
	union bpf_attr attr;
	uint32_t key;
	uint64_t value, sum = 0;

	element_attr(&attr, map, &key, &value);
	for (key = 0; key < ENTRIES; key++) {
		if (sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr, ELEMENT_ATTR_SIZE))
			fail("lookup");
		sum += value;
	}
	return sum;
}

static void lookup(unsigned count)
{
	int map = filled_hash();
	union bpf_attr attr;
	uint32_t key;
	uint64_t value, sum = 0;
	double start;

	element_attr(&attr, map, &key, &value);
	start = now();
	for (unsigned i = 0; i < count; i++) {
		key = i * SPREAD % ENTRIES;
		if (sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr, ELEMENT_ATTR_SIZE))
			fail("lookup");
		sum += value;
	}
	printf("%f %lu\n", (now() - start) / count, sum);
}

static void update(unsigned count)
{
	int map = filled_hash();
	union bpf_attr attr;
	uint32_t key;
	uint64_t value;
	double start, end;

	element_attr(&attr, map, &key, &value);
	start = now();
	for (unsigned i = 0; i < count; i++) {
		key = i * SPREAD % ENTRIES;
		value = i;
		if (sys_bpf(BPF_MAP_UPDATE_ELEM, &attr, ELEMENT_ATTR_SIZE))
			fail("update");
	}
	end = now();
	printf("%f %lu\n", (end - start) / count, sum_of_entries(map));
}

static void batch(unsigned passes)
{
	int map = filled_hash();
	static uint32_t keys[BATCH];
	static uint64_t values[BATCH];
	union bpf_attr attr;
	uint64_t position, sum = 0, entries = 0;
	double start = 0;

	/* The first pass is not timed: it brings the buffers in, as in a program that reads its map regularly. */
	for (unsigned pass = 0; pass <= passes; pass++) {
		long result = 0;

		if (pass == 1) {
			sum = entries = 0;
			start = now();
		}
		memset(&attr, 0, sizeof(attr));
		attr.batch.map_fd = map;
		attr.batch.out_batch = (uintptr_t)&position;
		attr.batch.keys = (uintptr_t)keys;
		attr.batch.values = (uintptr_t)values;
		while (!result) {
			attr.batch.count = BATCH;
			result = sys_bpf(BPF_MAP_LOOKUP_BATCH, &attr, sizeof(attr.batch));
			attr.batch.in_batch = (uintptr_t)&position;
			for (unsigned i = 0; i < attr.batch.count; i++)
				sum += keys[i] + values[i];
			entries += attr.batch.count;
		}
	}
	printf("%f %lu\n", (now() - start) / entries, sum);
}

#define INSN(opcode, dst, src, offset, immediate)                                                                      \
	((struct bpf_insn){ .code = opcode, .dst_reg = dst, .src_reg = src, .off = offset, .imm = immediate })
#define MOV(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define MOV_IMM(dst, immediate) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, immediate)
#define ADD_IMM(dst, immediate) INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, immediate)
#define LOAD(dst, src, offset) INSN(BPF_LDX | BPF_MEM | BPF_DW, dst, src, offset, 0)
#define STORE(size, dst, src, offset) INSN(BPF_STX | BPF_MEM | size, dst, src, offset, 0)
#define CALL(function) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int load_producer(int counter, int ring)
{
	struct bpf_insn code[80];
	unsigned n = 0;
	union bpf_attr attr;
	int fd;

	/* r6 = counter[0]++ */
	code[n++] = INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0);
	code[n++] = INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, counter);
	code[n++] = INSN(0, 0, 0, 0, 0);
	code[n++] = MOV(2, 10);
	code[n++] = ADD_IMM(2, -4);
	code[n++] = CALL(BPF_FUNC_map_lookup_elem);
	code[n++] = INSN(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 1, 0);
	code[n++] = EXIT;
	code[n++] = LOAD(6, 0, 0);
	code[n++] = MOV(1, 6);
	code[n++] = ADD_IMM(1, 1);
	code[n++] = STORE(BPF_DW, 0, 1, 0);
	/* the record, on the stack */
	code[n++] = STORE(BPF_DW, 10, 6, -72);
	for (int i = 0; i < 14; i++) {
		code[n++] = MOV(1, 6);
		code[n++] = ADD_IMM(1, i);
		code[n++] = STORE(BPF_W, 10, 1, -64 + 4 * i);
	}
	code[n++] = INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, ring);
	code[n++] = INSN(0, 0, 0, 0, 0);
	code[n++] = MOV(2, 10);
	code[n++] = ADD_IMM(2, -72);
	code[n++] = MOV_IMM(3, 64);
	code[n++] = MOV_IMM(4, 0);
	code[n++] = CALL(BPF_FUNC_ringbuf_output);
	code[n++] = MOV_IMM(0, 0);
	code[n++] = EXIT;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = n;
	attr.license = (uintptr_t) "Dual BSD/GPL";
	fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		fail("program load");
	return fd;
}

static void ring(unsigned count)
{
	int counter = create_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
	int map = create_map(BPF_MAP_TYPE_RINGBUF, 0, 0, RING_SIZE);
	int program = load_producer(counter, map);
	long page = sysconf(_SC_PAGESIZE);
	uint64_t *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	char *shared = mmap(NULL, page + 2ul * RING_SIZE, PROT_READ, MAP_SHARED, map, page);
	uint64_t *producer = (uint64_t *)shared;
	char *data = shared + page;
	char packet[64] = { 0 };
	union bpf_attr attr;
	union bpf_attr reset;
	uint32_t key = 0;
	uint64_t zero = 0;
	double elapsed = 0;
	uint64_t position = 0, sum = 0;

	if (consumer == MAP_FAILED || shared == MAP_FAILED)
		fail("mmap");
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = program;
	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	attr.test.repeat = count;
	/* The first round is not timed: it brings the pages in. */
	for (int round = 0; round < 2; round++) {
		double start;

		element_attr(&reset, counter, &key, &zero);
		if (sys_bpf(BPF_MAP_UPDATE_ELEM, &reset, ELEMENT_ATTR_SIZE))
			fail("update");
		if (sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)))
			fail("test run");
		sum = 0;
		start = now();
		for (;;) {
			uint64_t end = __atomic_load_n(producer, __ATOMIC_ACQUIRE);
			unsigned records = 0;

			if (position == end)
				break;
			while (position < end && records < BATCH) {
				char *at = data + (position & (RING_SIZE - 1));
				uint32_t header = __atomic_load_n((uint32_t *)at, __ATOMIC_ACQUIRE);

				if (header & BPF_RINGBUF_BUSY_BIT)
					break;
				if (!(header & BPF_RINGBUF_DISCARD_BIT)) {
					sum += *(uint32_t *)(at + 16);
					records++;
				}
				position += ((header & ~BPF_RINGBUF_DISCARD_BIT) + BPF_RINGBUF_HDR_SZ + 7) & ~7ull;
			}
			__atomic_store_n(consumer, position, __ATOMIC_RELEASE);
		}
		elapsed = now() - start;
	}
	printf("%f %lu\n", elapsed / count, sum);
}

int main(int argc, char **argv)
{
	unsigned count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

	if (!count)
		return 2;
	if (!strcmp(argv[1], "lookup"))
		lookup(count);
	else if (!strcmp(argv[1], "update"))
		update(count);
	else if (!strcmp(argv[1], "batch"))
		batch(count);
	else if (!strcmp(argv[1], "ring"))
		ring(count);
	else
		return 2;
	return 0;
}
