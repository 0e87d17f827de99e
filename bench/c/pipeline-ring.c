/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The reference that `npm run bench -- pipeline` measures against: fills a BPF ring buffer by BPF_PROG_TEST_RUN,
 * then reads it through mmap into batches of columns, with nothing but system calls. Every batch is new memory that
 * may be kept, as Skep's are.
 *
 *   pipeline-ring samples|executions RING_BYTES RECORDS CLOCK_OFFSET_NS
 *
 * Descriptor 3 is the ring, 4 the program that makes one record a run. For every line on standard input one round
 * is run, and answered by a line `NANOSECONDS RECORDS HASH...`: the time to drain and decode, and a hash a column.
 */
#include <linux/bpf.h>
#include <malloc.h>
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
#define BATCH_ROWS 4096

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
	uint32_t capacity;
};

/* The columns of up to BATCH_ROWS records, new for every batch: it is the reader's to keep. */
struct batch {
	uint32_t rows;
	double *times;
	uint64_t *cgroups;
	uint32_t *pids, *ppids, *uids;
	/* samples */
	uint32_t *bytes;
	int32_t *ports;
	int16_t *states;
	/* executions */
	uint8_t *truncated;
	struct strings comms, filenames, args;
};

static int64_t clock_offset;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void *room(size_t size)
{
	void *memory = malloc(size);

	if (!memory)
		fail("malloc");
	return memory;
}

static struct strings room_for_strings(uint32_t expected)
{
	struct strings strings = { room((BATCH_ROWS + 1) * sizeof(uint32_t)), room(expected), expected };

	strings.offsets[0] = 0;
	return strings;
}

static void new_batch(struct batch *batch, int samples)
{
	batch->rows = 0;
	batch->times = room(BATCH_ROWS * sizeof(*batch->times));
	batch->cgroups = room(BATCH_ROWS * sizeof(*batch->cgroups));
	batch->pids = room(BATCH_ROWS * sizeof(*batch->pids));
	batch->ppids = room(BATCH_ROWS * sizeof(*batch->ppids));
	batch->uids = room(BATCH_ROWS * sizeof(*batch->uids));
	if (samples) {
		batch->bytes = room(BATCH_ROWS * sizeof(*batch->bytes));
		batch->ports = room(BATCH_ROWS * sizeof(*batch->ports));
		batch->states = room(BATCH_ROWS * sizeof(*batch->states));
	} else {
		batch->truncated = room(BATCH_ROWS * sizeof(*batch->truncated));
		batch->comms = room_for_strings(16 * BATCH_ROWS);
		batch->filenames = room_for_strings(32 * BATCH_ROWS);
		batch->args = room_for_strings(64 * BATCH_ROWS);
	}
}

static void free_strings(struct strings *strings)
{
	free(strings->offsets);
	free(strings->data);
}

static void free_batch(struct batch *batch, int samples)
{
	free(batch->times);
	free(batch->cgroups);
	free(batch->pids);
	free(batch->ppids);
	free(batch->uids);
	if (samples) {
		free(batch->bytes);
		free(batch->ports);
		free(batch->states);
	} else {
		free(batch->truncated);
		free_strings(&batch->comms);
		free_strings(&batch->filenames);
		free_strings(&batch->args);
	}
}

/* Wall clock in whole microseconds. */
static inline double microseconds(uint64_t ktime)
{
	return (double)((int64_t)(ktime + clock_offset) / 1000);
}

/* Leaves room for one byte more than asked for. */
static inline void append(struct strings *strings, uint32_t row, const char *from, uint32_t length)
{
	uint32_t at = strings->offsets[row];

	if (at + length >= strings->capacity) {
		strings->capacity = 2 * (at + length);
		strings->data = realloc(strings->data, strings->capacity);
		if (!strings->data)
			fail("realloc");
	}
	memcpy(strings->data + at, from, length);
	strings->offsets[row + 1] = at + length;
}

/* Texts that each end with NUL; where the record ends within the last one, it gets its NUL here. */
static inline void append_texts(struct strings *strings, uint32_t row, const char *from, uint32_t length)
{
	append(strings, row, from, length);
	if (length && from[length - 1])
		strings->data[strings->offsets[row + 1]++] = 0;
}

static inline void decode_sample(const char *record, uint32_t length, struct batch *batch)
{
	const struct sample *sample = (const struct sample *)record;
	uint32_t row = batch->rows++;

	(void)length;
	batch->times[row] = microseconds(sample->time);
	batch->cgroups[row] = sample->cgroup;
	batch->pids[row] = sample->pid;
	batch->ppids[row] = sample->ppid;
	batch->uids[row] = sample->uid;
	batch->bytes[row] = sample->bytes;
	batch->ports[row] = sample->port;
	batch->states[row] = sample->state;
}

static inline void decode_execution(const char *record, uint32_t length, struct batch *batch)
{
	const struct execution *execution = (const struct execution *)record;
	uint32_t row = batch->rows++;

	batch->times[row] = microseconds(execution->time);
	batch->cgroups[row] = execution->cgroup;
	batch->pids[row] = execution->pid;
	batch->ppids[row] = execution->ppid;
	batch->uids[row] = execution->uid;
	batch->truncated[row] = execution->truncated != 0;
	append(&batch->comms, row, execution->comm, strnlen(execution->comm, sizeof(execution->comm)));
	append(&batch->filenames, row, execution->filename, strnlen(execution->filename, sizeof(execution->filename)));
	append_texts(&batch->args, row, execution->args, length - offsetof(struct execution, args));
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

/* Reads up to BATCH_ROWS records into the batch and gives their room back. */
static inline __attribute__((always_inline)) void read_batch(const struct ring *ring, struct batch *batch, size_t fixed,
							     void (*decode)(const char *, uint32_t, struct batch *))
{
	uint64_t position = *ring->consumer;
	uint64_t produced = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);

	while (position < produced && batch->rows < BATCH_ROWS) {
		const char *header = ring->data + (position & ring->mask);
		uint32_t word = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);
		uint32_t length = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (word & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(word & BPF_RINGBUF_DISCARD_BIT) && length >= fixed)
			decode(header + BPF_RINGBUF_HDR_SZ, length, batch);
		position += (length + BPF_RINGBUF_HDR_SZ + 7) & ~7ull;
	}
	__atomic_store_n(ring->consumer, position, __ATOMIC_RELEASE);
}

/* Reads all that lies in the ring, and returns how many batches it made. The last one has no rows. */
static size_t drain(const struct ring *ring, struct batch *batches, int samples)
{
	size_t count = 0;

	do {
		struct batch *batch = &batches[count++];

		new_batch(batch, samples);
		if (samples)
			read_batch(ring, batch, offsetof(struct sample, padding), decode_sample);
		else
			read_batch(ring, batch, offsetof(struct execution, args), decode_execution);
	} while (batches[count - 1].rows);
	return count;
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
static void add_to_hash(uint32_t *hash, const void *from, size_t size)
{
	const uint8_t *next = from;

	while (size--)
		*hash = (*hash ^ *next++) * 0x01000193;
}

/* The lengths, then the bytes. */
static void add_strings(uint32_t *hashes, const struct strings *strings, uint32_t rows)
{
	for (uint32_t i = 0; i < rows; i++) {
		uint32_t length = strings->offsets[i + 1] - strings->offsets[i];

		add_to_hash(&hashes[0], &length, sizeof(length));
	}
	add_to_hash(&hashes[1], strings->data, strings->offsets[rows]);
}

#define MAX_HASHES 12

/* Adds a batch to a hash a column, and returns how many there are. */
static int add_batch(uint32_t *hashes, const struct batch *batch, int samples)
{
	uint32_t rows = batch->rows;

	add_to_hash(&hashes[0], batch->times, rows * sizeof(*batch->times));
	add_to_hash(&hashes[1], batch->cgroups, rows * sizeof(*batch->cgroups));
	add_to_hash(&hashes[2], batch->pids, rows * sizeof(*batch->pids));
	add_to_hash(&hashes[3], batch->ppids, rows * sizeof(*batch->ppids));
	add_to_hash(&hashes[4], batch->uids, rows * sizeof(*batch->uids));
	if (samples) {
		add_to_hash(&hashes[5], batch->bytes, rows * sizeof(*batch->bytes));
		add_to_hash(&hashes[6], batch->ports, rows * sizeof(*batch->ports));
		add_to_hash(&hashes[7], batch->states, rows * sizeof(*batch->states));
		return 8;
	}
	add_to_hash(&hashes[5], batch->truncated, rows * sizeof(*batch->truncated));
	add_strings(&hashes[6], &batch->comms, rows);
	add_strings(&hashes[8], &batch->filenames, rows);
	add_strings(&hashes[10], &batch->args, rows);
	return MAX_HASHES;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

int main(int count, char **arguments)
{
	struct batch *batches;
	struct ring ring;
	uint32_t records;
	char line[16];
	int samples;

	if (count != 5) {
		fprintf(stderr, "usage: pipeline-ring samples|executions RING_BYTES RECORDS CLOCK_OFFSET_NS\n");
		return 2;
	}
	samples = !strcmp(arguments[1], "samples");
	ring = map_ring(strtoull(arguments[2], NULL, 10));
	records = strtoul(arguments[3], NULL, 10);
	clock_offset = strtoll(arguments[4], NULL, 10);
	batches = room((records / BATCH_ROWS + 2) * sizeof(*batches));
	/* Freed memory stays here: asking the kernel for it anew would take five times as long as all the rest. */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);

	while (fgets(line, sizeof(line), stdin)) {
		uint32_t hashes[MAX_HASHES];
		int columns = 0;
		size_t made, rows = 0;
		int64_t start, elapsed;

		fill(records);
		start = now();
		made = drain(&ring, batches, samples);
		elapsed = now() - start;
		for (int i = 0; i < MAX_HASHES; i++)
			hashes[i] = 0x811c9dc5;
		for (size_t i = 0; i < made; i++) {
			rows += batches[i].rows;
			columns = add_batch(hashes, &batches[i], samples);
			free_batch(&batches[i], samples);
		}
		printf("%lld %zu", (long long)elapsed, rows);
		for (int i = 0; i < columns; i++)
			printf(" %u", hashes[i]);
		printf("\n");
		fflush(stdout);
	}
	return 0;
}
