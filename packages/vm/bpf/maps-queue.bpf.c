/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* skep: cpu=v4 */
/*
 * Queues and stacks: room for one value more than they hold, from `tail` (the oldest) to `head`.
 * Bloom filters: bits. Behaviour: kernel/bpf/queue_stack_maps.c, bloom_filter.c.
 */
#include "maps.h"

VM_INLINE void *value_at(struct vm_map *map, __u64 index)
{
	return AT(map->elements) + index * vm_stride();
}

VM_INLINE __u32 after(__u32 index)
{
	return index == vm_max_entries() ? 0 : index + 1;
}

SEC("syscall") long queue_push(struct vm_map *map, const void *value, __u64 flags)
{
	long result = 0;

	if (flags != BPF_ANY && flags != BPF_EXIST)
		return -EINVAL;
	vm_touch(value, vm_value_size());
	vm_lock(&map->lock);
	if (after(map->head) == map->tail) {
		if (flags == BPF_EXIST)
			map->tail = after(map->tail);
		else
			result = -E2BIG;
	}
	if (result == 0) {
		vm_copy_value(value_at(map, map->head), value);
		map->head = after(map->head);
	}
	vm_unlock(&map->lock);
	return result;
}

VM_INLINE long get(struct vm_map *map, void *value, int newest, int remove)
{
	long result = 0;

	/* Writes what is to be written anyway, so that it traps before the lock is taken. */
	vm_fill(value, 0, vm_value_size());
	vm_lock(&map->lock);
	if (map->head == map->tail) {
		result = -ENOENT;
	} else if (newest) {
		__u32 top = map->head == 0 ? vm_max_entries() : map->head - 1;

		vm_copy_value(value, value_at(map, top));
		if (remove)
			map->head = top;
	} else {
		vm_copy_value(value, value_at(map, map->tail));
		if (remove)
			map->tail = after(map->tail);
	}
	vm_unlock(&map->lock);
	return result;
}

SEC("syscall") long queue_pop(struct vm_map *map, void *value)
{
	return get(map, value, 0, 1);
}

SEC("syscall") long queue_peek(struct vm_map *map, void *value)
{
	return get(map, value, 0, 0);
}

SEC("syscall") long stack_pop(struct vm_map *map, void *value)
{
	return get(map, value, 1, 1);
}

SEC("syscall") long stack_peek(struct vm_map *map, void *value)
{
	return get(map, value, 1, 0);
}

/* Which bit the function of this number asks for. The value is translated as a key, to be hashed. */
VM_INLINE __u32 bit_of(struct vm_map *map, __u64 hash, __u32 number)
{
	hash += number * 0x9e3779b97f4a7c15UL;
	hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9UL;
	hash = (hash ^ hash >> 27) * 0x94d049bb133111ebUL;
	return (hash ^ hash >> 31) & map->mask;
}

VM_INLINE __u32 *word_of(struct vm_map *map, __u32 bit)
{
	return AT(map->elements) + (__u64)(bit >> 5) * 4;
}

SEC("syscall") long bloom_push(struct vm_map *map, const void *value, __u64 flags)
{
	__u64 hash;

	if (flags != BPF_ANY)
		return -EINVAL;
	hash = vm_hash_key(value);
	for (__u32 i = 0; i < map->hashes; i++) {
		__u32 bit = bit_of(map, hash, i);

		__sync_fetch_and_or(word_of(map, bit), 1U << (bit & 31));
	}
	return 0;
}

SEC("syscall") long bloom_peek(struct vm_map *map, const void *value)
{
	__u64 hash = vm_hash_key(value);

	for (__u32 i = 0; i < map->hashes; i++) {
		__u32 bit = bit_of(map, hash, i);

		if (!(LOAD32(word_of(map, bit)) >> (bit & 31) & 1))
			return -ENOENT;
	}
	return 0;
}
