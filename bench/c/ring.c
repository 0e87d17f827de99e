// SPDX-License-Identifier: Apache-2.0
/*
 * The producer of the `ring` benchmark, and its reference: libbpf's ring_buffer__poll.
 *
 * ring produce RATE MILLISECONDS runs the program at descriptor 3 so many times a second.
 * ring consume reads the ring at descriptor 3 until SIGTERM, and prints how many records it read, their checksum, and
 * the 50th and 99th percentile of the nanoseconds from record to reader.
 */
#include "bpf-calls.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>

#define DESCRIPTOR 3
/* Latencies that are kept; a run that is asked for them has fewer records. */
#define SAMPLES (1u << 16)

struct record {
	uint64_t time;
	uint64_t sequence;
	uint32_t words[12];
};

static volatile sig_atomic_t stopped;
static uint64_t delivered, checksum;
static uint64_t latencies[SAMPLES];

static void stop(int signal)
{
	stopped = signal;
}

static int on_record(void *context, void *data, size_t size)
{
	const struct record *record = data;

	if (delivered < SAMPLES)
		latencies[delivered] = (uint64_t)now() - record->time;
	delivered++;
	checksum += record->words[0];
	return 0;
}

static int by_size(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static void consume(void)
{
	struct sigaction action = { .sa_handler = stop };
	struct ring_buffer *ring = ring_buffer__new(DESCRIPTOR, on_record, NULL, NULL);
	uint64_t samples;

	if (!ring)
		fail("ring_buffer__new");
	sigaction(SIGTERM, &action, NULL);
	puts("ready");
	fflush(stdout);
	while (!stopped) {
		int result = ring_buffer__poll(ring, 100);

		if (result < 0 && result != -EINTR)
			fail("ring_buffer__poll");
	}
	ring_buffer__consume(ring);
	samples = delivered < SAMPLES ? delivered : SAMPLES;
	qsort(latencies, samples, sizeof(*latencies), by_size);
	printf("%lu %lu %lu %lu\n", delivered, checksum & 0xffffffff, latencies[samples / 2], latencies[samples * 99 / 100]);
	ring_buffer__free(ring);
}

static void produce(double rate, double milliseconds)
{
	char packet[64] = { 0 };
	union bpf_attr attr;
	double start = now(), end = start + milliseconds * 1e6;
	double done = 0;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = DESCRIPTOR;
	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	for (double time = start; time < end; time = now()) {
		double due = (uint64_t)((time - start) * rate / 1e9) - done;

		if (due < 1) {
			/* Between rare events the CPU rests, as it would between real ones; between frequent ones it waits. */
			struct timespec rest = { 0, 1e9 / rate };

			if (rate < 20000)
				nanosleep(&rest, NULL);
			continue;
		}
		attr.test.repeat = due > 1000 ? 1000 : due;
		if (sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)))
			fail("test run");
		done += attr.test.repeat;
	}
	printf("%f\n", done / (now() - start) * 1e9);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "produce"))
		produce(strtod(argv[2], NULL), strtod(argv[3], NULL));
	else if (argc == 2 && !strcmp(argv[1], "consume"))
		consume();
	else
		return 2;
	return 0;
}
