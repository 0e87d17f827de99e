/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Callbacks and locks that the kernel's verifier would refuse. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

struct timed {
	struct bpf_timer timer;
	__u64 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct timed);
} timers SEC(".maps");

struct guarded {
	struct bpf_spin_lock lock;
	__u32 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct guarded);
} guarded SEC(".maps");

static int work(void *map, __u32 *key, struct timed *value)
{
	for (int i = 0; i < 1000; i++)
		*(volatile __u64 *)&value->count += 1;
	bpf_timer_start(&value->timer, 1000, 0);
	return 0;
}

static int stray(void *map, __u32 *key, struct timed *value)
{
	value->count++;
	*(volatile __u32 *)16 = 0;
	return 0;
}

static __always_inline int start(__u32 key, void *callback)
{
	struct timed *value = bpf_map_lookup_elem(&timers, &key);

	if (!value)
		return 1;
	bpf_timer_init(&value->timer, &timers, 1);
	bpf_timer_set_callback(&value->timer, callback);
	return bpf_timer_start(&value->timer, 1000, 0);
}

SEC("syscall") int start_work(void *ctx)
{
	return start(0, work);
}

SEC("syscall") int start_stray(void *ctx)
{
	return start(1, stray);
}

static __always_inline struct guarded *find(void)
{
	struct guarded fresh = {};
	__u32 key = 3;

	bpf_map_update_elem(&guarded, &key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&guarded, &key);
}

SEC("syscall") int count_locked(void *ctx)
{
	struct guarded *value = find();

	if (!value)
		return 0;
	bpf_spin_lock(&value->lock);
	value->count++;
	bpf_spin_unlock(&value->lock);
	return value->count;
}

SEC("syscall") int stray_locked(void *ctx)
{
	struct guarded *value = find();

	if (!value)
		return 0;
	bpf_spin_lock(&value->lock);
	*(volatile __u32 *)16 = 0;
	return 0;
}

SEC("syscall") int stay_locked(void *ctx)
{
	struct guarded *value = find();

	if (!value)
		return 0;
	bpf_spin_lock(&value->lock);
	return value->count;
}

SEC("syscall") int lock_twice(void *ctx)
{
	struct guarded *value = find();

	if (!value)
		return 0;
	bpf_spin_lock(&value->lock);
	bpf_spin_lock(&value->lock);
	return 0;
}

extern int host_sum(const void *data, __u32 size) __ksym;
extern int host_absent(int value) __ksym __weak;

SEC("syscall") int call_host(void *ctx)
{
	char bytes[4] = { 1, 2, 3, 4 };

	if (host_absent)
		return host_absent(1);
	return host_sum(bytes, sizeof(bytes));
}

SEC("syscall") int call_absent(void *ctx)
{
	return host_absent(1);
}
