/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The reference that `npm run bench -- pipeline` measures against: fills a BPF ring buffer by BPF_PROG_TEST_RUN,
 * then reads it through mmap into columns, with nothing but system calls.
 *
 *   pipeline-ring samples|executions RING_BYTES RECORDS CLOCK_OFFSET_NS
 *
 * Descriptor 3 is the ring, 4 the program that makes one record a run. For every line on standard input one round
 * is run, and answered by a line `NANOSECONDS RECORDS HASH...`: the time to drain and decode, and a hash a column.
 */
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RING_FD 3
#define PROGRAM_FD 4

struct sample {
	uint64_t time;
	uint64_t cgroup;
	uint32_t pid;
	uint32_t ppid;
	uint32_t uid;
	uint32_t bytes;
	uint16_t port;
	uint8_t state;
	uint8_t padding[29];
};

struct execution {
	uint64_t time;
	uint64_t cgroup;
	uint32_t pid;
	uint32_t ppid;
	uint32_t uid;
	uint8_t truncated;
	uint8_t padding[3];
	char comm[16];
	char filename[256];
	char args[4096];
};

/* A column of byte strings: row i is data[offsets[i] .. offsets[i + 1]). */
struct strings {
	uint32_t *offsets;
	char *data;
};

/* The columns of both kinds of record; each kind uses its own. All rows of a round lie in them at the end. */
static double *times;
static uint64_t *cgroups;
static uint32_t *pids, *ppids, *uids, *bytes;
static int32_t *ports;
static int16_t *states;
static uint8_t *truncated;
static struct strings comms, filenames, args;

static int64_t clock_offset;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Memory whose pages are there already: the measured part shall not wait for them. */
static void *room(size_t size)
{
	void *memory = malloc(size);

	if (!memory)
		fail("malloc");
	return memset(memory, 1, size);
}

static struct strings room_for_strings(size_t rows, size_t bytes_in_all)
{
	struct strings strings = { room((rows + 1) * sizeof(uint32_t)), room(bytes_in_all) };

	strings.offsets[0] = 0;
	return strings;
}

/* Wall clock in whole microseconds. */
static inline double microseconds(uint64_t ktime)
{
	return (double)((int64_t)(ktime + clock_offset) / 1000);
}

static inline void append(struct strings *strings, size_t row, const char *from, uint32_t length)
{
	uint32_t at = strings->offsets[row];

	memcpy(strings->data + at, from, length);
	strings->offsets[row + 1] = at + length;
}

/* Texts that each end with NUL; where the record ends within the last one, it gets its NUL here. */
static inline void append_texts(struct strings *strings, size_t row, const char *from, uint32_t length)
{
	append(strings, row, from, length);
	if (length && from[length - 1])
		strings->data[strings->offsets[row + 1]++] = 0;
}

static inline void decode_sample(const char *record, uint32_t length, size_t row)
{
	const struct sample *sample = (const struct sample *)record;

	(void)length;
	times[row] = microseconds(sample->time);
	cgroups[row] = sample->cgroup;
	pids[row] = sample->pid;
	ppids[row] = sample->ppid;
	uids[row] = sample->uid;
	bytes[row] = sample->bytes;
	ports[row] = sample->port;
	states[row] = sample->state;
}

static inline void decode_execution(const char *record, uint32_t length, size_t row)
{
	const struct execution *execution = (const struct execution *)record;

	times[row] = microseconds(execution->time);
	cgroups[row] = execution->cgroup;
	pids[row] = execution->pid;
	ppids[row] = execution->ppid;
	uids[row] = execution->uid;
	truncated[row] = execution->truncated != 0;
	append(&comms, row, execution->comm, strnlen(execution->comm, sizeof(execution->comm)));
	append(&filenames, row, execution->filename, strnlen(execution->filename, sizeof(execution->filename)));
	append_texts(&args, row, execution->args, length - offsetof(struct execution, args));
}

struct ring {
	uint64_t *consumer;
	const uint64_t *producer;
	const char *data;
	uint64_t mask;
};

static struct ring map_ring(size_t size)
{
	long page = sysconf(_SC_PAGESIZE);
	struct ring ring;
	char *memory;

	ring.consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, RING_FD, 0);
	if (ring.consumer == MAP_FAILED)
		fail("mmap of the consumer page");
	/* The data lies there twice, so that no record is split. */
	memory = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, RING_FD, page);
	if (memory == MAP_FAILED)
		fail("mmap of the ring");
	ring.producer = (const uint64_t *)memory;
	ring.data = memory + page;
	ring.mask = size - 1;
	return ring;
}

/* Reads what lies in the ring, gives the room back, and returns how many records there were. */
static inline __attribute__((always_inline)) size_t drain(const struct ring *ring, size_t fixed, size_t most,
							  void (*decode)(const char *, uint32_t, size_t))
{
	uint64_t position = *ring->consumer;
	uint64_t produced = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
	size_t rows = 0;

	while (position < produced && rows < most) {
		const char *header = ring->data + (position & ring->mask);
		uint32_t word = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);
		uint32_t length = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (word & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(word & BPF_RINGBUF_DISCARD_BIT) && length >= fixed)
			decode(header + BPF_RINGBUF_HDR_SZ, length, rows++);
		position += (length + BPF_RINGBUF_HDR_SZ + 7) & ~7ull;
	}
	__atomic_store_n(ring->consumer, position, __ATOMIC_RELEASE);
	return rows;
}

static size_t drain_samples(const struct ring *ring, size_t most)
{
	return drain(ring, offsetof(struct sample, padding), most, decode_sample);
}

static size_t drain_executions(const struct ring *ring, size_t most)
{
	return drain(ring, offsetof(struct execution, args), most, decode_execution);
}

static void fill(uint32_t records)
{
	char packet[64] = { 0 };
	union bpf_attr attr = { 0 };

	attr.test.prog_fd = PROGRAM_FD;
	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	attr.test.repeat = records;
	if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)))
		fail("BPF_PROG_TEST_RUN");
}

/* FNV-1a, 32 bits. */
static void print_hash(const void *from, size_t size)
{
	const uint8_t *next = from;
	uint32_t hash = 0x811c9dc5;

	while (size--)
		hash = (hash ^ *next++) * 0x01000193;
	printf(" %u", hash);
}

/* The lengths, then the bytes. */
static void print_strings_hashes(const struct strings *strings, size_t rows)
{
	uint32_t *lengths = room(rows * sizeof(*lengths) + 1);

	for (size_t i = 0; i < rows; i++)
		lengths[i] = strings->offsets[i + 1] - strings->offsets[i];
	print_hash(lengths, rows * sizeof(*lengths));
	print_hash(strings->data, strings->offsets[rows]);
	free(lengths);
}

static void print_common_hashes(size_t rows)
{
	print_hash(times, rows * sizeof(*times));
	print_hash(cgroups, rows * sizeof(*cgroups));
	print_hash(pids, rows * sizeof(*pids));
	print_hash(ppids, rows * sizeof(*ppids));
	print_hash(uids, rows * sizeof(*uids));
}

static void print_sample_hashes(size_t rows)
{
	print_common_hashes(rows);
	print_hash(bytes, rows * sizeof(*bytes));
	print_hash(ports, rows * sizeof(*ports));
	print_hash(states, rows * sizeof(*states));
}

static void print_execution_hashes(size_t rows)
{
	print_common_hashes(rows);
	print_hash(truncated, rows * sizeof(*truncated));
	print_strings_hashes(&comms, rows);
	print_strings_hashes(&filenames, rows);
	print_strings_hashes(&args, rows);
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

int main(int count, char **arguments)
{
	size_t size, rows, records;
	struct ring ring;
	char line[16];
	int samples;

	if (count != 5) {
		fprintf(stderr, "usage: pipeline-ring samples|executions RING_BYTES RECORDS CLOCK_OFFSET_NS\n");
		return 2;
	}
	samples = !strcmp(arguments[1], "samples");
	size = strtoull(arguments[2], NULL, 10);
	ring = map_ring(size);
	records = strtoull(arguments[3], NULL, 10);
	clock_offset = strtoll(arguments[4], NULL, 10);

	times = room(records * sizeof(*times));
	cgroups = room(records * sizeof(*cgroups));
	pids = room(records * sizeof(*pids));
	ppids = room(records * sizeof(*ppids));
	uids = room(records * sizeof(*uids));
	bytes = room(records * sizeof(*bytes));
	ports = room(records * sizeof(*ports));
	states = room(records * sizeof(*states));
	truncated = room(records * sizeof(*truncated));
	if (!samples) {
		/* No column holds more than the whole ring does. */
		comms = room_for_strings(records, size);
		filenames = room_for_strings(records, size);
		args = room_for_strings(records, size);
	}

	while (fgets(line, sizeof(line), stdin)) {
		int64_t start;

		fill(records);
		start = now();
		rows = samples ? drain_samples(&ring, records) : drain_executions(&ring, records);
		printf("%lld %zu", (long long)(now() - start), rows);
		if (samples)
			print_sample_hashes(rows);
		else
			print_execution_hashes(rows);
		printf("\n");
		fflush(stdout);
	}
	return 0;
}
