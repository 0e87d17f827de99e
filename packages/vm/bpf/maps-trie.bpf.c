/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* skep: cpu=v4 */
/*
 * LPM tries: a binary tree of prefixes, with nodes in between where two entries part. A key is a prefix length and that
 * many bits, the first one the highest of the first byte. There are twice as many nodes as entries.
 *
 * Changes are made under the map's lock. Lookups take none: they start over when `sequence` tells of a change meanwhile.
 * Behaviour: kernel/bpf/lpm_trie.c (Linux 6.18).
 */
#include "maps.h"

struct node {
	/* Of a free node the first is the next free one. */
	__u32 child[2];
	/* 1: no entry, it only leads to two. */
	__u32 between;
	/* The key. */
	__u32 length;
	__u8 bits[];
};

struct key {
	__u32 length;
	__u8 bits[];
};

VM_INLINE __u64 most_bits(void)
{
	return (vm_key_size() - 4) * 8;
}

VM_INLINE void *value_of(struct node *node)
{
	return (void *)node + 12 + ((vm_key_size() + 3) & ~7UL) + 4;
}

VM_INLINE __u32 bit(const __u8 *bits, __u32 index)
{
	return bits[index >> 3] >> (7 - (index & 7)) & 1;
}

/* How many bits of both agree, from the first on. */
VM_INLINE __u32 common(const struct node *node, const struct key *key)
{
	__u32 limit = node->length < key->length ? node->length : key->length;
	__u32 bits = 0, rest = 0;

	while (bits < limit) {
		rest = node->bits[bits >> 3] ^ key->bits[bits >> 3];
		if (rest)
			break;
		bits += 8;
	}
	if (rest)
		for (; !(rest & 0x80); rest <<= 1)
			bits++;
	return bits < limit ? bits : limit;
}

VM_INLINE __u32 begin_read(struct vm_map *map)
{
	__u32 sequence, spins = 0;

	while ((sequence = __sync_fetch_and_add(&map->sequence, 0)) & 1)
		if (++spins == SPINS)
			vm_fault();
	return sequence;
}

SEC("syscall") void *trie_lookup(struct vm_map *map, const struct key *key)
{
	__u32 sequence;
	struct node *found;

	if (key->length > most_bits())
		return 0;
	do {
		__u32 at;

		sequence = begin_read(map);
		found = 0;
		at = LOAD32(&map->root);
		/* Nodes that are used again meanwhile could lead in a circle. */
		for (__u32 steps = 0; at && steps <= most_bits(); steps++) {
			struct node *node = AT(at);
			__u32 length = LOAD32(&node->length), matching = common(node, key);

			if (matching < length)
				break;
			if (!LOAD32(&node->between))
				found = node;
			if (length >= most_bits())
				break;
			at = LOAD32(&node->child[bit(key->bits, length)]);
		}
	} while (__sync_fetch_and_add(&map->sequence, 0) != sequence);
	return found ? value_of(found) : 0;
}

/* The nodes that were given back, or else the next one that was never used; there is always one. */
VM_INLINE struct node *take_node(struct vm_map *map)
{
	struct node *node = AT((__u32)map->free);

	if (node)
		map->free = node->child[0];
	else
		node = AT(map->elements + map->hand++ * (__u64)map->element_size);
	node->child[0] = 0;
	node->child[1] = 0;
	node->between = 0;
	return node;
}

VM_INLINE void give_node(struct vm_map *map, struct node *node)
{
	node->child[0] = map->free;
	map->free = (__u32)(__u64)node;
}

VM_INLINE void begin_change(struct vm_map *map)
{
	vm_lock(&map->lock);
	__sync_fetch_and_add(&map->sequence, 1);
}

VM_INLINE void end_change(struct vm_map *map)
{
	__sync_fetch_and_add(&map->sequence, 1);
	vm_unlock(&map->lock);
}

/* Why an entry cannot be added; counts it when it can. */
VM_INLINE long add_entry(struct vm_map *map, __u64 flags)
{
	if (flags == BPF_EXIST)
		return -ENOENT;
	if (map->used == vm_max_entries())
		return -ENOSPC;
	map->used++;
	return 0;
}

SEC("syscall") long trie_update(struct vm_map *map, const struct key *key, const void *value, __u64 flags)
{
	struct node *node, *added;
	__u32 *link, matching = 0;
	long refused = 0;

	if (flags > BPF_EXIST || key->length > most_bits())
		return -EINVAL;
	vm_touch(key, vm_key_size());
	vm_touch(value, vm_value_size());
	begin_change(map);
	link = &map->root;
	while ((node = AT(*link))) {
		matching = common(node, key);
		if (node->length != matching || node->length == key->length)
			break;
		link = &node->child[bit(key->bits, node->length)];
	}
	if (node && node->length == matching && !node->between) {
		if (flags == BPF_NOEXIST)
			refused = -EEXIST;
	} else {
		refused = add_entry(map, flags);
	}
	if (refused == 0) {
		added = take_node(map);
		vm_copy_key(&added->length, key);
		vm_copy_value(value_of(added), value);
		if (node && node->length == matching) {
			added->child[0] = node->child[0];
			added->child[1] = node->child[1];
			give_node(map, node);
		} else if (node && matching == key->length) {
			added->child[bit(node->bits, matching)] = (__u32)(__u64)node;
		} else if (node) {
			struct node *between = take_node(map);
			__u32 side = bit(key->bits, matching);

			vm_copy_key(&between->length, &node->length);
			between->length = matching;
			between->between = 1;
			between->child[side] = (__u32)(__u64)added;
			between->child[1 - side] = (__u32)(__u64)node;
			added = between;
		}
		*link = (__u32)(__u64)added;
	}
	end_change(map);
	return refused;
}

/* With the lock held. */
VM_INLINE long delete_entry(struct vm_map *map, const struct key *key)
{
	struct node *node, *parent = 0;
	__u32 *link = &map->root, *parent_link = 0, matching = 0;

	while ((node = AT(*link))) {
		matching = common(node, key);
		if (node->length != matching || node->length == key->length)
			break;
		parent = node;
		parent_link = link;
		link = &node->child[bit(key->bits, node->length)];
	}
	if (!node || node->length != key->length || node->length != matching || node->between)
		return -ENOENT;
	map->used--;
	if (node->child[0] && node->child[1]) {
		node->between = 1;
		return 0;
	}
	if (parent && parent->between && !node->child[0] && !node->child[1]) {
		*parent_link = parent->child[link == &parent->child[0]];
		give_node(map, parent);
	} else {
		*link = node->child[0] ? node->child[0] : node->child[1];
	}
	give_node(map, node);
	return 0;
}

SEC("syscall") long trie_delete(struct vm_map *map, const struct key *key)
{
	long result;

	if (key->length > most_bits())
		return -EINVAL;
	vm_touch(key, vm_key_size());
	begin_change(map);
	result = delete_entry(map, key);
	end_change(map);
	return result;
}

/* The first in an order that has what is more specific before what is less. */
VM_INLINE struct node *first_below(__u32 at)
{
	struct node *node;

	for (;;) {
		node = AT(at);
		at = node->child[0] ? node->child[0] : node->child[1];
		if (!at)
			return node;
	}
}

/* The key that comes after one, 0 at the end; the first for no key and for one that is not there. */
SEC("syscall") void *trie_next(struct vm_map *map, const struct key *key)
{
	struct node *node, *after = 0;
	__u32 at, matching = 0;

	if (key)
		vm_touch(key, vm_key_size());
	vm_lock(&map->lock);
	at = map->root;
	while (key && at) {
		__u32 side;

		node = AT(at);
		matching = common(node, key);
		if (node->length != matching || node->length == key->length)
			break;
		side = bit(key->bits, node->length);
		if (side == 0 && node->child[1])
			after = first_below(node->child[1]);
		else if (!node->between)
			after = node;
		at = node->child[side];
	}
	node = AT(at);
	if (!key || !node || node->length != key->length || node->length != matching || node->between)
		after = map->root ? first_below(map->root) : 0;
	vm_unlock(&map->lock);
	return after ? &after->length : 0;
}
