/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* skep: cpu=v4 */
/*
 * Ring buffers. `elements` is the address of the data: as many bytes as the ring has, and as many again, so that a record
 * that begins near the end lies in one piece, where the kernel maps the data twice. Positions only grow; nothing that is
 * not consumed is ever written over. A record has a header of two words: its length with the two flags below, and the
 * map's address with the worker's number in its lowest 7 bits. Behaviour: kernel/bpf/ringbuf.c.
 *
 * Perf event arrays: a word for each CPU, the address of a reader's buffer or 0. That is a struct vm_map
 * too, which this worker alone writes to; its records have no map in their header. `used` counts what was lost, `head` says
 * when the reader is woken, after so many records or (`hashes` is 1) bytes, and `tail` counts them.
 */
#include "maps.h"

#define BUSY 0x80000000
#define DISCARD 0x40000000
#define LONGEST 0x3fffffff
#define RECORD_HEADER 8
#define WORKER_MASK 0x7f

struct header {
	__u32 length;
	__u32 map;
};

VM_INLINE void *reserve(struct vm_map *map, __u64 size)
{
	__u64 producer, end;
	struct header *header;

	if (size > LONGEST)
		return 0;
	vm_lock(&map->lock);
	producer = map->producer;
	end = producer + ((size + RECORD_HEADER + 7) & ~7UL);
	/* As in the kernel, a ring is never filled to the last byte. */
	if (end - LOAD64(&map->consumer) > map->mask) {
		vm_unlock(&map->lock);
		return 0;
	}
	header = AT(map->elements + (producer & map->mask));
	header->length = size | BUSY;
	header->map = (__u32)(__u64)map | (vm_cpu() & WORKER_MASK);
	/* Whoever sees the position sees that the record is busy. */
	__sync_lock_test_and_set(&map->producer, end);
	vm_unlock(&map->lock);
	return header + 1;
}

VM_INLINE void commit(struct vm_map *map, struct header *header, __u64 flags, __u32 discard)
{
	__u32 length = header->length & ~BUSY;
	__u64 position = (__u64)(__u32)(__u64)header - map->elements;

	vm_set_region(header + 1, length, 0);
	__sync_lock_test_and_set(&header->length, length | discard);
	/* A reader that has more before it will come to this one by itself. */
	if (flags & BPF_RB_FORCE_WAKEUP ||
	    (!(flags & BPF_RB_NO_WAKEUP) && (LOAD64(&map->consumer) & map->mask) == position))
		__sync_fetch_and_add(&map->signals, 1);
}

SEC("syscall") void *ring_reserve(struct vm_map *map, __u64 size, __u64 flags)
{
	void *record;

	if (flags != 0)
		return 0;
	record = reserve(map, size);
	if (record)
		vm_set_region(record, size, 2);
	return record;
}

/* The map of a record that a program was given by `ring_reserve`; anything else ends the run. */
VM_INLINE struct vm_map *map_of(const void *record)
{
	const struct header *header = record - RECORD_HEADER;
	struct vm_map *map = vm_map_at(header->map & ~WORKER_MASK, BPF_MAP_TYPE_RINGBUF);
	__u64 offset;

	offset = (__u64)header - map->elements;
	if (offset > map->mask || (offset & 7) || !(LOAD32(&header->length) & BUSY))
		vm_fault();
	/* The middle of a record that looks like one: its header would be the program's to write. */
	if (map->confined && vm_may_access(header, RECORD_HEADER, 1))
		vm_fault();
	return map;
}

SEC("syscall") long ring_submit(void *record, __u64 flags)
{
	commit(map_of(record), record - RECORD_HEADER, flags, 0);
	return 0;
}

SEC("syscall") long ring_discard(void *record, __u64 flags)
{
	commit(map_of(record), record - RECORD_HEADER, flags, DISCARD);
	return 0;
}

SEC("syscall") long ring_output(struct vm_map *map, const void *data, __u64 size, __u64 flags)
{
	void *record;

	if (flags & ~(__u64)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	vm_touch(data, size);
	record = reserve(map, size);
	if (!record)
		return -EAGAIN;
	vm_copy(record, data, size);
	commit(map, record - RECORD_HEADER, flags, 0);
	return 0;
}

SEC("syscall") __u64 ring_query(struct vm_map *map, __u64 flags)
{
	switch (flags) {
	case BPF_RB_AVAIL_DATA:
		return LOAD64(&map->producer) - LOAD64(&map->consumer);
	case BPF_RB_RING_SIZE:
		return (__u64)map->mask + 1;
	case BPF_RB_CONS_POS:
		return LOAD64(&map->consumer);
	case BPF_RB_PROD_POS:
		return LOAD64(&map->producer);
	default:
		return 0;
	}
}

/*
 * bpf_perf_event_output. Records are padded as the kernel's are. After the data come as many bytes of the packet as the flags
 * say.
 */
SEC("syscall") long perf_output(void *context, __u64 address, __u64 flags, const void *data, __u64 size)
{
	struct vm_map *map = vm_map_at(address, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__u64 cpu = flags & BPF_F_INDEX_MASK, room, length, packet = (flags & BPF_F_CTXLEN_MASK) >> 32;
	const struct vm_run *run = vm_run();
	struct vm_map *buffer;
	struct header *header;

	if (flags & ~(BPF_F_INDEX_MASK | BPF_F_CTXLEN_MASK) || (packet && !run->packet_data))
		return -EINVAL;
	if (packet && packet > run->packet_data_end - run->packet_data)
		return -EFAULT;
	if (cpu == BPF_F_CURRENT_CPU)
		cpu = vm_cpu();
	if (cpu >= map->max_entries)
		return -E2BIG;
	buffer = AT(LOAD32(AT(map->elements) + cpu * 8));
	if (!buffer)
		return -ENOENT;
	if (cpu != vm_cpu())
		return -EOPNOTSUPP;
	size = (__u32)size;
	if (!vm_may_access(data, size, 1))
		vm_fault();
	/* With its own size before it, a sample is a multiple of 8 bytes. */
	length = ((size + packet + 4 + 7) & ~7UL) - 4;
	room = (length + RECORD_HEADER + 7) & ~7UL;
	if (buffer->producer + room - LOAD64(&buffer->consumer) > (__u64)buffer->mask + 1) {
		__sync_fetch_and_add(&buffer->used, 1);
		return -ENOSPC;
	}
	header = AT(buffer->elements + (buffer->producer & buffer->mask));
	header->length = length;
	vm_copy(header + 1, data, size);
	/* Where there is no packet, its address would trap whatever the length. */
	if (packet)
		vm_copy((void *)(header + 1) + size, AT(run->packet_data), packet);
	size += packet;
	vm_fill((void *)(header + 1) + size, 0, length - size);
	__sync_lock_test_and_set(&buffer->producer, buffer->producer + room);
	buffer->tail += buffer->hashes ? room : 1;
	if (buffer->tail >= buffer->head) {
		buffer->tail = 0;
		__sync_fetch_and_add(&map->signals, 1);
	}
	return 0;
}
