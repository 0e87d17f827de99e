/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* skep: cpu=v4 */
/*
 * Arrays: values one after the other, `stride` bytes apart. Per-CPU arrays have all that once for each
 * worker, a multiple of 64 bytes apart, so that workers do not share cache lines. Behaviour: kernel/bpf/arraymap.c.
 */
#include "maps.h"

VM_INLINE __u64 worker_bytes(void)
{
	return (vm_max_entries() * vm_stride() + 63) & ~63UL;
}

VM_INLINE void *value_at(struct vm_map *map, const void *key, __u64 cpu)
{
	__u64 index = *(const __u32 *)key;

	if (index >= vm_max_entries())
		return 0;
	return AT(vm_elements(map)) + cpu * worker_bytes() + index * vm_stride();
}

SEC("syscall") void *array_lookup(struct vm_map *map, const void *key)
{
	return value_at(map, key, 0);
}

SEC("syscall") void *percpu_array_lookup(struct vm_map *map, const void *key)
{
	return value_at(map, key, vm_cpu());
}

SEC("syscall") void *percpu_array_lookup_percpu(struct vm_map *map, const void *key, __u64 cpu)
{
	cpu = (__u32)cpu;
	return cpu >= vm_cpus() ? 0 : value_at(map, key, cpu);
}

/* An array of addresses: of maps, sockets and the like. The lookup gives what is held. */
SEC("syscall") void *reference_array_lookup(struct vm_map *map, const void *key)
{
	__u32 *held = value_at(map, key, 0);

	return held ? AT(LOAD32(held)) : 0;
}

/* An array whose values begin with a number that is 0 when there is none: devices, CPUs. */
SEC("syscall") void *sparse_array_lookup(struct vm_map *map, const void *key)
{
	__u32 *held = value_at(map, key, 0);

	return held && LOAD32(held) != 0 ? held : 0;
}

VM_INLINE long refusal(const void *key, __u64 flags)
{
	if (flags > BPF_EXIST)
		return -EINVAL;
	if (*(const __u32 *)key >= vm_max_entries())
		return -E2BIG;
	return flags == BPF_NOEXIST ? -EEXIST : 0;
}

SEC("syscall") long array_update(struct vm_map *map, const void *key, const void *value, __u64 flags)
{
	long refused = refusal(key, flags);

	if (refused == 0)
		vm_copy_value(value_at(map, key, 0), value);
	return refused;
}

/* Of values with a struct bpf_spin_lock. */
SEC("syscall") long array_update_locking(struct vm_map *map, const void *key, const void *value, __u64 flags)
{
	long refused = refusal(key, flags & ~(__u64)BPF_F_LOCK);
	void *to;

	if (refused != 0)
		return refused;
	to = value_at(map, key, 0);
	vm_touch(value, vm_value_size());
	if (flags & BPF_F_LOCK)
		vm_copy_under_lock(map, to, value);
	else
		vm_copy_around_lock(map, to, value);
	return 0;
}

SEC("syscall") long percpu_array_update(struct vm_map *map, const void *key, const void *value, __u64 flags)
{
	long refused = refusal(key, flags);

	if (refused == 0)
		vm_copy_value(value_at(map, key, vm_cpu()), value);
	return refused;
}

SEC("syscall") long array_delete(void)
{
	return -EINVAL;
}

VM_INLINE long for_each(struct vm_map *map, __u64 callback, __u64 context, __u64 flags, __u64 cpu)
{
	__u64 key = 0;

	if (flags != 0)
		return -EINVAL;
	vm_set_region(&key, 4, 2);
	for (__u64 index = 0; index < vm_max_entries(); index++) {
		void *value = AT(vm_elements(map)) + cpu * worker_bytes() + index * vm_stride();

		*(volatile __u64 *)&key = index;
		if (vm_call(callback, (__u64)map, (__u64)&key, (__u64)value, context) != 0)
			return index + 1;
	}
	return vm_max_entries();
}

SEC("syscall") long array_for_each(struct vm_map *map, __u64 callback, __u64 context, __u64 flags)
{
	return for_each(map, callback, context, flags, 0);
}

SEC("syscall") long percpu_array_for_each(struct vm_map *map, __u64 callback, __u64 context, __u64 flags)
{
	return for_each(map, callback, context, flags, vm_cpu());
}

/* SOCKMAP: `socket` is what the lookup will give. Behaviour: net/core/sock_map.c. */
SEC("syscall") long socket_array_update(struct vm_map *map, const void *key, const void *socket, __u64 flags)
{
	__u32 *held = value_at(map, key, 0);

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (!held)
		return -E2BIG;
	if (flags == BPF_NOEXIST) {
		if (__sync_val_compare_and_swap(held, 0, (__u32)(__u64)socket) != 0)
			return -EEXIST;
		return 0;
	}
	if (flags == BPF_EXIST && LOAD32(held) == 0)
		return -ENOENT;
	vm_publish(held, (__u32)(__u64)socket);
	return 0;
}

SEC("syscall") long socket_array_delete(struct vm_map *map, const void *key)
{
	__u32 *held = value_at(map, key, 0);

	return held && __sync_lock_test_and_set(held, 0) != 0 ? 0 : -EINVAL;
}
