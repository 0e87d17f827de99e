/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the map types have in common: the header of a map, locks, and return codes. src/map/map-header.ts has the same
 * offsets for JavaScript.
 *
 * Workers may share the memory, so everything here is safe against others doing the same: locks are words, 0 when free.
 * What a program hands in is read once before a lock is taken, so that a wild pointer cannot trap while one is held.
 */
#ifndef SKEP_VM_MAPS_H
#define SKEP_VM_MAPS_H

#include "runtime.h"

#define SEC(name) __attribute__((section(name), used))

/* A pointer of 32 bits as it lies in memory. */
#define AT(address) ((void *)(unsigned long)(address))
#define LOAD32(address) (*(volatile __u32 *)(address))
#define LOAD64(address) (*(volatile __u64 *)(address))

#define ENOENT 2
#define EAGAIN 11
#define ENOMEM 12
#define EFAULT 14
#define EEXIST 17
#define EINVAL 22
#define ENOSPC 28
#define E2BIG 7
#define EOPNOTSUPP 95

struct vm_map {
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 flags;
	__u32 cpus;
	__u32 stride;
	/* The first element, node, value or byte of data. */
	__u32 elements;
	/* From one element or node to the next. */
	__u32 element_size;
	/* Buckets - 1, bits - 1, bytes of a ring - 1. */
	__u32 mask;
	__u32 lock;
	/* Where a value has its struct bpf_spin_lock; NO_LOCK when it has none. */
	__u32 lock_offset;
	/* 1 when programs are confined to regions. */
	__u32 confined;
	/* A word a worker: the element that its next update of a key that is there will use. */
	__u32 spare;
	/* Which element of an LRU map is looked at next when one must go; of a trie the nodes that were ever used. */
	__u32 hand;
	/* Elements that were ever used, from the first on; of a trie the entries. */
	__u32 used;
	/* Of a hash map: the first bucket's word, behind the locks. */
	__u32 buckets;
	/* Of a trie: its first node. */
	__u32 root;
	/* Where its functions begin in the engine's table. */
	__u32 table;
	/* Of a queue or a stack: where the next value goes. */
	__u32 head;
	/* Elements that were given back: the first one's address, and above it a count of changes. */
	__u64 free;
	__u64 consumer;
	__u64 producer;
	/* Goes up when a reader is to be woken. */
	__u32 signals;
	/* 1 while a reader waits; JavaScript's. */
	__u32 waiting;
	/* Of a queue or a stack: the oldest. */
	__u32 tail;
	/* Of a trie: odd while it changes. */
	__u32 sequence;
	/* Hash functions of a bloom filter. */
	__u32 hashes;
	/* The worker that reads the records, and 1; JavaScript's. */
	__u32 reader;
};

_Static_assert(sizeof(struct vm_map) == 128, "maps lie 128 bytes apart");

#define NO_LOCK 0xffffffff

/* All maps lie behind each other from the beginning of the memory, the first in the place of number 1. */
struct vm_globals {
	/* The end of them. */
	__u32 maps_end;
};

#define VM_GLOBALS ((struct vm_globals *)0x10000)

/* Ends the run: there is no memory at 0. */
VM_INLINE void vm_fault(void)
{
	*(volatile __u32 *)0 = 0;
}

/* The map at an address that a program gave, which may be any; ends the run when there is no map of that type. */
VM_INLINE struct vm_map *vm_map_at(__u64 address, __u32 type)
{
	struct vm_map *map = (struct vm_map *)address;

	if (address <= (__u64)VM_GLOBALS || address >= VM_GLOBALS->maps_end ||
	    (address & (sizeof(struct vm_map) - 1)) || map->type != type)
		vm_fault();
	return map;
}

/* Spins before a lock counts as lost, by a worker that was ended while it held it: about a second. */
#define SPINS (1 << 26)

VM_INLINE void vm_lock(__u32 *lock)
{
	__u32 spins = 0;

	while (__sync_val_compare_and_swap(lock, 0, 1) != 0)
		if (++spins == SPINS)
			vm_fault();
}

VM_INLINE void vm_unlock(__u32 *lock)
{
	__sync_lock_test_and_set(lock, 0);
}

/* Stores a word behind all that was written before. */
VM_INLINE void vm_publish(void *at, __u32 value)
{
	__sync_lock_test_and_set((__u32 *)at, value);
}

/* Traps here or never. */
VM_INLINE void vm_touch(const void *from, __u64 length)
{
	if (length == 0)
		return;
	(void)*(volatile const __u8 *)from;
	(void)*(volatile const __u8 *)(from + length - 1);
}

/* Bytes of a key within an element. */
VM_INLINE __u64 vm_key_room(void)
{
	return (vm_key_size() + 7) & ~7UL;
}

/* A value's struct bpf_spin_lock holds the worker's number + 1: who takes it twice would wait for ever. */
VM_INLINE void vm_lock_value(__u32 *lock)
{
	__u32 self = vm_cpu() + 1, spins = 0, holder;

	while ((holder = __sync_val_compare_and_swap(lock, 0, self)) != 0)
		if (holder == self || ++spins == SPINS)
			vm_fault();
}

/* Copies a value, but not over its lock. */
VM_INLINE void vm_copy_around_lock(const struct vm_map *map, void *to, const void *from)
{
	__u64 offset = map->lock_offset, after = offset + 4;

	vm_copy(to, from, offset);
	vm_copy(to + after, from + after, vm_value_size() - after);
}

VM_INLINE void vm_copy_under_lock(const struct vm_map *map, void *to, const void *from)
{
	__u32 *lock = to + map->lock_offset;

	vm_lock_value(lock);
	vm_copy_around_lock(map, to, from);
	vm_unlock(lock);
}

#endif
