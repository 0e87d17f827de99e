/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* skep: cpu=v4 */
/*
 * Hash maps. 64 locks lie before a word for each bucket: the first element's address, or an odd number that says which
 * bucket it ends. Elements are made beforehand: next, hash, (LRU: state), key, value.
 *
 * Lookups take no lock. An element that is taken out keeps its `next`, so whoever stands on it goes on; when it is used
 * again meanwhile, the walk ends in another bucket, sees that by the end's number, and starts over.
 *
 * A key that is there gets a new element when it is updated, and the old one is the worker's next: a pointer from an
 * earlier lookup shows what the kernel's would. Behaviour: kernel/bpf/hashtab.c.
 *
 * LRU maps keep to max_entries exactly. When one is full a hand goes over the elements in order: one that was looked up
 * since the hand passed gets another round, the first other one goes (CLOCK; the kernel's own order is approximate too).
 */
#include "maps.h"

#define LOCKS 64
/* Ends the list of free elements; no bucket ends with it. */
#define NO_ELEMENT 0xffffffff

#define PLAIN_HEADER 8
#define LRU_HEADER 16

/* States of an LRU map's element. */
#define UNUSED 0
#define IN_USE 1
#define LOOKED_UP 2

struct element {
	__u32 next;
	/* Of its key; of a free element the address of the next free one. */
	__u32 hash;
	__u32 state;
	__u32 unused;
};

/* Of the bucket: where there are fewer buckets than locks, two hashes of one bucket must not take different ones. */
VM_INLINE __u32 *lock_of(struct vm_map *map, __u32 hash)
{
	return AT(vm_buckets(map)) - (LOCKS - (hash & vm_mask(map) & (LOCKS - 1))) * 4;
}

VM_INLINE void *bucket_of(struct vm_map *map, __u64 hash)
{
	return AT(vm_buckets(map)) + (hash & vm_mask(map)) * 4;
}

VM_INLINE __u32 end_of(struct vm_map *map, __u32 hash)
{
	return (hash & vm_mask(map)) << 1 | 1;
}

VM_INLINE void *value_of(struct element *element, __u64 header)
{
	return (void *)element + header + vm_key_room();
}

/* Long keys are compared where the hashes agree. */
VM_INLINE __u64 holds(const struct element *element, const void *key, __u32 hash, __u64 header)
{
	if (vm_key_size() > 16 && element->hash != hash)
		return 0;
	return vm_key_difference((const void *)element + header, key) == 0;
}

VM_INLINE void *value_found(struct element *element, __u64 header)
{
	return element ? value_of(element, header) : 0;
}

VM_INLINE struct element *find_from(struct vm_map *map, const void *key, __u64 hash, __u64 header)
{
	__u32 at;

	do {
		at = LOAD32(bucket_of(map, hash));
		while (!(at & 1)) {
			struct element *element = AT(at);

			if (holds(element, key, hash, header))
				return element;
			at = LOAD32(&element->next);
		}
	} while (at != end_of(map, hash));
	return 0;
}

VM_INLINE struct element *find(struct vm_map *map, const void *key, __u64 header)
{
	return find_from(map, key, vm_hash_key(key), header);
}

/* What a lookup gives. Most keys are the first of their bucket: ahead of the loops, which cost more to enter. */
VM_INLINE void *find_value(struct vm_map *map, const void *key, __u64 header)
{
	__u64 hash = vm_hash_key(key);
	__u32 at = LOAD32(bucket_of(map, hash));

	if (!(at & 1) && holds(AT(at), key, hash, header))
		return value_of(AT(at), header);
	return value_found(find_from(map, key, hash, header), header);
}

/* With the lock held. `link` is set to the word that leads to the element. */
VM_INLINE struct element *find_locked(struct vm_map *map, const void *key, __u32 hash, __u64 header, void **link)
{
	__u32 at;

	*link = bucket_of(map, hash);
	while (!((at = LOAD32(*link)) & 1)) {
		struct element *element = AT(at);

		if (holds(element, key, hash, header))
			return element;
		*link = &element->next;
	}
	return 0;
}

VM_INLINE struct element *take_free(struct vm_map *map)
{
	__u64 old = LOAD64(&map->free), seen;

	for (;;) {
		struct element *element = AT((__u32)old);

		if ((__u32)old == NO_ELEMENT)
			break;
		seen = __sync_val_compare_and_swap(&map->free, old, ((old >> 32) + 1) << 32 | LOAD32(&element->hash));
		if (seen == old)
			return element;
		old = seen;
	}
	/* None was given back: the next one that was never used. */
	while (LOAD32(&map->used) < vm_max_entries()) {
		__u32 index = __sync_fetch_and_add(&map->used, 1);

		if (index < vm_max_entries())
			return AT(map->elements + (__u64)index * map->element_size);
	}
	return 0;
}

VM_INLINE void give_free(struct vm_map *map, struct element *element)
{
	__u64 old = LOAD64(&map->free), seen;

	for (;;) {
		element->hash = old;
		seen = __sync_val_compare_and_swap(&map->free, old, ((old >> 32) + 1) << 32 | (__u32)(__u64)element);
		if (seen == old)
			return;
		old = seen;
	}
}

/* Frees the element that the hand comes to, unless it was looked up; 0 when all are busy with other workers. */
VM_INLINE struct element *evict(struct vm_map *map)
{
	__u64 elements = vm_max_entries() + vm_cpus();
	struct element *victim = 0;

	vm_lock(&map->lock);
	for (__u64 steps = 0; steps < 2 * elements && !victim; steps++) {
		struct element *element = AT(map->elements + (__u64)map->hand * map->element_size);

		map->hand = map->hand + 1 == elements ? 0 : map->hand + 1;
		if (LOAD32(&element->state) == LOOKED_UP) {
			element->state = IN_USE;
		} else if (LOAD32(&element->state) == IN_USE) {
			__u32 hash = LOAD32(&element->hash);
			__u32 *lock = lock_of(map, hash);
			void *link = bucket_of(map, hash);
			__u32 at;

			vm_lock(lock);
			while (!((at = LOAD32(link)) & 1) && AT(at) != element)
				link = AT(at);
			if (!(at & 1)) {
				vm_publish(link, element->next);
				victim = element;
			}
			vm_unlock(lock);
		}
	}
	vm_unlock(&map->lock);
	return victim;
}

VM_INLINE void put_first(struct vm_map *map, struct element *element, __u32 hash)
{
	void *bucket = bucket_of(map, hash);

	element->next = LOAD32(bucket);
	element->hash = hash;
	vm_publish(bucket, (__u32)(__u64)element);
}

/* How an update writes a value. */
#define WHOLE 0
#define LOCKING 1
/* This worker's part of a per-CPU value; the other parts of a new one are zeros. */
#define OWN_PART 2
/* All parts, as they lie in `value`. */
#define ALL_PARTS 3

VM_INLINE void write_new(const struct vm_map *map, void *to, const void *value, int how)
{
	if (how == WHOLE) {
		vm_copy_value(to, value);
	} else if (how == LOCKING) {
		vm_copy_around_lock(map, to, value);
		*(__u32 *)(to + map->lock_offset) = 0;
	} else if (how == ALL_PARTS) {
		vm_copy(to, value, vm_cpus() * vm_stride());
	} else {
		vm_fill(to, 0, vm_cpus() * vm_stride());
		vm_copy_value(to + vm_cpu() * vm_stride(), value);
	}
}

VM_INLINE long update(struct vm_map *map, const void *key, const void *value, __u64 flags, __u64 header, int how)
{
	int lru = header == LRU_HEADER;
	__u64 mode = how == LOCKING ? flags & ~(__u64)BPF_F_LOCK : flags;
	struct element *element = 0, *old, *unused = 0;
	void *link;
	__u32 hash, *lock;
	long result = 0;

	if (mode > BPF_EXIST)
		return -EINVAL;
	hash = vm_hash_key(key);
	vm_touch(value, how == ALL_PARTS ? vm_cpus() * vm_stride() : vm_value_size());
	lock = lock_of(map, hash);
	for (;;) {
		/* The value's own lock is not waited for with the bucket's held. */
		if (how == LOCKING && (flags & BPF_F_LOCK) && (old = find(map, key, header))) {
			if (mode == BPF_NOEXIST)
				return -EEXIST;
			vm_copy_under_lock(map, value_of(old, header), value);
			return 0;
		}
		vm_lock(lock);
		old = find_locked(map, key, hash, header, &link);
		if (old && how == LOCKING && (flags & BPF_F_LOCK)) {
			vm_unlock(lock);
			continue;
		}
		if (old || element || mode == BPF_EXIST || !lru)
			break;
		vm_unlock(lock);
		/* To make room takes the lock of another key. */
		element = take_free(map);
		if (!element)
			element = evict(map);
		if (!element)
			return -ENOMEM;
	}
	if (old) {
		unused = element;
		if (mode == BPF_NOEXIST) {
			result = -EEXIST;
		} else if (how == OWN_PART || how == ALL_PARTS) {
			void *to = value_of(old, header);

			if (how == ALL_PARTS)
				vm_copy(to, value, vm_cpus() * vm_stride());
			else
				vm_copy_value(to + vm_cpu() * vm_stride(), value);
			if (lru)
				old->state = LOOKED_UP;
		} else {
			__u32 *spare = AT(map->spare + vm_cpu() * 4);

			element = AT(*spare);
			vm_copy_key((void *)element + header, key);
			write_new(map, value_of(element, header), value, how);
			if (lru)
				element->state = LOOKED_UP;
			put_first(map, element, hash);
			/* Where the old one was first, the new one leads to it now. */
			if (link == bucket_of(map, hash))
				link = &element->next;
			vm_publish(link, old->next);
			*spare = (__u32)(__u64)old;
		}
	} else if (mode == BPF_EXIST) {
		result = -ENOENT;
		unused = element;
	} else {
		if (!lru)
			element = take_free(map);
		if (element) {
			vm_copy_key((void *)element + header, key);
			write_new(map, value_of(element, header), value, how);
			if (lru)
				element->state = IN_USE;
			put_first(map, element, hash);
		} else {
			result = -E2BIG;
		}
	}
	vm_unlock(lock);
	if (unused)
		give_free(map, unused);
	return result;
}

VM_INLINE long take(struct vm_map *map, const void *key, void *value, __u64 bytes, __u64 header)
{
	__u32 hash = vm_hash_key(key);
	__u32 *lock = lock_of(map, hash);
	struct element *element;
	void *link;

	vm_lock(lock);
	element = find_locked(map, key, hash, header, &link);
	if (element) {
		if (value)
			vm_copy(value, value_of(element, header), bytes);
		vm_publish(link, element->next);
	}
	vm_unlock(lock);
	if (!element)
		return -ENOENT;
	if (header == LRU_HEADER)
		element->state = UNUSED;
	give_free(map, element);
	return 0;
}

/* The address of the key that comes after one, 0 at the end; the first for no key and for one that is not there. */
VM_INLINE void *next(struct vm_map *map, const void *key, __u64 header)
{
	__u64 bucket = 0, at = 1;

	if (key) {
		struct element *element = find(map, key, header);

		if (element) {
			bucket = (__u64)(vm_hash_key(key) & vm_mask(map)) + 1;
			at = LOAD32(&element->next);
		}
	}
	while (at & 1) {
		if (bucket > vm_mask(map))
			return 0;
		at = LOAD32(AT(vm_buckets(map)) + bucket++ * 4);
	}
	return AT(at) + header;
}

VM_INLINE long for_each(struct vm_map *map, __u64 callback, __u64 context, __u64 flags, __u64 header, __u64 part)
{
	__u64 count = 0;

	if (flags != 0)
		return -EINVAL;
	for (__u64 bucket = 0; bucket <= vm_mask(map); bucket++) {
		__u64 at = LOAD32(AT(vm_buckets(map)) + bucket * 4);

		/* A callback that takes elements out and puts them in again could keep a chain going. */
		while (!(at & 1) && count < vm_max_entries()) {
			struct element *element = AT(at);
			void *key = (void *)element + header;

			at = LOAD32(&element->next);
			count++;
			if (vm_call(callback, (__u64)map, (__u64)key, (__u64)value_of(element, header) + part, context) != 0)
				return count;
		}
	}
	return count;
}

VM_INLINE void *looked_up(struct element *element)
{
	if (element && LOAD32(&element->state) != LOOKED_UP)
		element->state = LOOKED_UP;
	return value_found(element, LRU_HEADER);
}

VM_INLINE void *part_of(void *value, __u64 cpu)
{
	return value ? value + cpu * vm_stride() : 0;
}

/* HASH; HASH_OF_MAPS and others that hold addresses; DEVMAP_HASH. */

SEC("syscall") void *hash_lookup(struct vm_map *map, const void *key)
{
	return find_value(map, key, PLAIN_HEADER);
}

SEC("syscall") void *reference_hash_lookup(struct vm_map *map, const void *key)
{
	void *held = find_value(map, key, PLAIN_HEADER);

	return held ? AT(LOAD32(held)) : 0;
}

SEC("syscall") long hash_update(struct vm_map *map, const void *key, const void *value, __u64 flags)
{
	return update(map, key, value, flags, PLAIN_HEADER, WHOLE);
}

SEC("syscall") long hash_update_locking(struct vm_map *map, const void *key, const void *value, __u64 flags)
{
	return update(map, key, value, flags, PLAIN_HEADER, LOCKING);
}

SEC("syscall") long hash_delete(struct vm_map *map, const void *key)
{
	return take(map, key, 0, 0, PLAIN_HEADER);
}

SEC("syscall") long hash_take(struct vm_map *map, const void *key, void *value)
{
	return take(map, key, value, vm_value_size(), PLAIN_HEADER);
}

SEC("syscall") void *hash_next(struct vm_map *map, const void *key)
{
	return next(map, key, PLAIN_HEADER);
}

SEC("syscall") long hash_for_each(struct vm_map *map, __u64 callback, __u64 context, __u64 flags)
{
	return for_each(map, callback, context, flags, PLAIN_HEADER, 0);
}

/* PERCPU_HASH, which deletes and walks as HASH does. */

SEC("syscall") void *percpu_hash_lookup(struct vm_map *map, const void *key)
{
	return part_of(find_value(map, key, PLAIN_HEADER), vm_cpu());
}

SEC("syscall") void *percpu_hash_lookup_percpu(struct vm_map *map, const void *key, __u64 cpu)
{
	cpu = (__u32)cpu;
	if (cpu >= vm_cpus())
		return 0;
	return part_of(find_value(map, key, PLAIN_HEADER), cpu);
}

SEC("syscall") long percpu_hash_update(struct vm_map *map, const void *key, const void *value, __u64 flags)
{
	return update(map, key, value, flags, PLAIN_HEADER, OWN_PART);
}

SEC("syscall") long percpu_hash_update_all(struct vm_map *map, const void *key, const void *value, __u64 flags)
{
	return update(map, key, value, flags, PLAIN_HEADER, ALL_PARTS);
}

SEC("syscall") long percpu_hash_take(struct vm_map *map, const void *key, void *value)
{
	return take(map, key, value, vm_cpus() * vm_stride(), PLAIN_HEADER);
}

SEC("syscall") long percpu_hash_for_each(struct vm_map *map, __u64 callback, __u64 context, __u64 flags)
{
	return for_each(map, callback, context, flags, PLAIN_HEADER, vm_cpu() * vm_stride());
}

/* LRU_HASH. What user space looks up does not count as used. */

SEC("syscall") void *lru_lookup(struct vm_map *map, const void *key)
{
	return looked_up(find(map, key, LRU_HEADER));
}

SEC("syscall") void *lru_find(struct vm_map *map, const void *key)
{
	return find_value(map, key, LRU_HEADER);
}

SEC("syscall") long lru_update(struct vm_map *map, const void *key, const void *value, __u64 flags)
{
	return update(map, key, value, flags, LRU_HEADER, WHOLE);
}

SEC("syscall") long lru_delete(struct vm_map *map, const void *key)
{
	return take(map, key, 0, 0, LRU_HEADER);
}

SEC("syscall") long lru_take(struct vm_map *map, const void *key, void *value)
{
	return take(map, key, value, vm_value_size(), LRU_HEADER);
}

SEC("syscall") void *lru_next(struct vm_map *map, const void *key)
{
	return next(map, key, LRU_HEADER);
}

SEC("syscall") long lru_for_each(struct vm_map *map, __u64 callback, __u64 context, __u64 flags)
{
	return for_each(map, callback, context, flags, LRU_HEADER, 0);
}

/* LRU_PERCPU_HASH. */

SEC("syscall") void *lru_percpu_lookup(struct vm_map *map, const void *key)
{
	return part_of(looked_up(find(map, key, LRU_HEADER)), vm_cpu());
}

SEC("syscall") void *lru_percpu_lookup_percpu(struct vm_map *map, const void *key, __u64 cpu)
{
	cpu = (__u32)cpu;
	return cpu >= vm_cpus() ? 0 : part_of(looked_up(find(map, key, LRU_HEADER)), cpu);
}

SEC("syscall") long lru_percpu_update(struct vm_map *map, const void *key, const void *value, __u64 flags)
{
	return update(map, key, value, flags, LRU_HEADER, OWN_PART);
}

SEC("syscall") long lru_percpu_update_all(struct vm_map *map, const void *key, const void *value, __u64 flags)
{
	return update(map, key, value, flags, LRU_HEADER, ALL_PARTS);
}

SEC("syscall") long lru_percpu_take(struct vm_map *map, const void *key, void *value)
{
	return take(map, key, value, vm_cpus() * vm_stride(), LRU_HEADER);
}

SEC("syscall") long lru_percpu_for_each(struct vm_map *map, __u64 callback, __u64 context, __u64 flags)
{
	return for_each(map, callback, context, flags, LRU_HEADER, vm_cpu() * vm_stride());
}

/* SOCKHASH: `socket` is what the lookup will give. */
SEC("syscall") long socket_hash_update(struct vm_map *map, const void *key, const void *socket, __u64 flags)
{
	__u64 held = (__u32)(__u64)socket;

	return update(map, key, &held, flags, PLAIN_HEADER, WHOLE);
}
