/* SPDX-License-Identifier: Apache-2.0 */

/* What the C references share: bpf(2), a clock, and maps by their numbers. */
#ifndef SKEP_BENCH_BPF_CALLS_H
#define SKEP_BENCH_BPF_CALLS_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static inline void fail(const char *what)
{
	perror(what);
	exit(1);
}

static inline long sys_bpf(int command, union bpf_attr *attr, unsigned size)
{
	return syscall(SYS_bpf, command, attr, size);
}

static inline double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static inline int create_map_with(unsigned type, unsigned key_size, unsigned value_size, unsigned entries, unsigned flags)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = key_size;
	attr.value_size = value_size;
	attr.max_entries = entries;
	attr.map_flags = flags;
	fd = sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		fail("map create");
	return fd;
}

static inline int create_map(unsigned type, unsigned key_size, unsigned value_size, unsigned entries)
{
	return create_map_with(type, key_size, value_size, entries, 0);
}

/* One attr for all calls of a loop, as Skep has it: only what it points to changes. */
static inline void element_attr(union bpf_attr *attr, int map, const void *key, const void *value)
{
	memset(attr, 0, sizeof(*attr));
	attr->map_fd = map;
	attr->key = (uintptr_t)key;
	attr->value = (uintptr_t)value;
}

#define ELEMENT_ATTR_SIZE (offsetof(union bpf_attr, flags) + sizeof(uint64_t))

#endif
