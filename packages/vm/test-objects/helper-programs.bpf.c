/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls helpers that give the same in every engine, and leaves what they give in `results`. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

#define SLOTS 24
#define TEXT 104

struct result {
	long returned;
	char text[TEXT];
};

struct result results[SLOTS];

char name[16] SEC(".data.inputs") = "skep";
char sentence[40] SEC(".data.inputs") = "a sentence that is not so short";
__u8 address[16] SEC(".data.inputs") = { 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };

#define PRINT(slot, format, ...) \
	results[slot].returned = BPF_SNPRINTF(results[slot].text, TEXT, format, __VA_ARGS__)

SEC("syscall") int print(void *ctx)
{
	PRINT(0, "%d %i %u %x %X", -1, 2147483647, -1, 0xabcdef, 0xabcdef);
	PRINT(1, "%ld %lld %lu %llx", -1L, 1L << 63, -1L, -1L);
	PRINT(2, "%5d|%-5d|%05d|%+d|% d|%-05d|%+05d", 42, 42, 42, 42, 42, 42, 42);
	PRINT(3, "%8x|%-8lx|%08X|%1x", 0xbeef, 0xbeef, 0xbeef, 0xbeef);
	PRINT(4, "%s|%8s|%-8s|%2s|%s", name, name, name, name, sentence);
	PRINT(5, "%c%3c%-3c|%%|%c", 'a', 'b', 'c', 0x141);
	PRINT(6, "%pI4 %pi4 %pI6 %pi6", address, address, address, address);
	PRINT(7, "%px|%20px|%-20px|%020px", 0xabcd, 0xabcd, 0xabcd, 0xabcd);
	PRINT(8, "%pks %pI4more %pxyz.", name, address, 1);
	PRINT(9, "%ps %pS %pB|%s", 0x12, 0x13, 0x14, 0);
	PRINT(10, "%200d", 1);
	return 0;
}

#define PARSE(slot, function, type, string, base)                                       \
	do {                                                                                 \
		type value = 99;                                                                 \
		const char text[] = string;                                                      \
		results[slot].returned = function(text, sizeof(text) - 1, base, &value);         \
		__builtin_memcpy(results[slot].text, &value, 8);                                 \
	} while (0)

SEC("syscall") int parse(void *ctx)
{
	PARSE(0, bpf_strtol, long, " -0x1fz", 0);
	PARSE(1, bpf_strtol, long, "-9223372036854775808", 10);
	PARSE(2, bpf_strtol, long, "9223372036854775808", 10);
	PARSE(3, bpf_strtol, long, "089", 0);
	PARSE(4, bpf_strtol, long, "0xg", 16);
	PARSE(5, bpf_strtol, long, "12", 7);
	PARSE(6, bpf_strtoul, unsigned long, "18446744073709551615!", 10);
	PARSE(7, bpf_strtoul, unsigned long, "18446744073709551616", 10);
	PARSE(8, bpf_strtoul, unsigned long, "-1", 10);
	PARSE(9, bpf_strtoul, unsigned long, "\t0777", 0);
	results[10].returned = bpf_strncmp(name, 4, "skep");
	results[11].returned = bpf_strncmp(name, 4, "skeq");
	results[12].returned = bpf_strncmp(name, 4, "ske");
	return 0;
}

SEC("syscall") int read(void *ctx)
{
	results[0].returned = bpf_probe_read_kernel(results[0].text, 8, sentence);
	results[1].returned = bpf_probe_read_kernel_str(results[1].text, 8, sentence);
	results[2].returned = bpf_probe_read_kernel_str(results[2].text, 40, sentence);
	results[3].returned = bpf_probe_read_kernel_str(results[3].text, 1, sentence);
	results[4].returned = bpf_probe_read_kernel_str(results[4].text, 0, sentence);
	results[5].returned = bpf_probe_read_user(results[5].text, 8, (void *)8);
	results[6].returned = bpf_probe_read_user_str(results[6].text, 8, (void *)8);
	results[7].returned = bpf_copy_from_user(results[7].text, 8, (void *)8);
	return 0;
}

static long add(__u64 i, __u64 *sum)
{
	*sum += i;
	return *sum > 40;
}

SEC("syscall") int loop(void *ctx)
{
	__u64 sum = 0;

	results[0].returned = bpf_loop(5, add, &sum, 0);
	results[1].returned = sum;
	results[2].returned = bpf_loop(100, add, &sum, 0);
	results[3].returned = sum;
	results[4].returned = bpf_loop(0, add, &sum, 0);
	results[5].returned = bpf_loop((1 << 23) + 1, add, &sum, 0);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

SEC("syscall") int dynptr(void *ctx)
{
	struct bpf_dynptr local, record, none;
	__u64 word = 0x1122334455667788;

	results[0].returned = bpf_dynptr_from_mem(results[0].text, 16, 0, &local);
	results[1].returned = bpf_dynptr_write(&local, 8, &word, 8, 0);
	results[2].returned = bpf_dynptr_write(&local, 9, &word, 8, 0);
	results[3].returned = bpf_dynptr_read(results[3].text, 4, &local, 10, 0);
	results[4].returned = bpf_dynptr_read(results[4].text, 4, &local, 10, 1);
	results[5].returned = bpf_dynptr_data(&local, 0, 17) == 0;
	results[6].returned = bpf_ringbuf_reserve_dynptr(&ring, 24, 0, &record);
	results[7].returned = bpf_dynptr_write(&record, 16, &word, 8, 0);
	results[8].returned = bpf_dynptr_read(results[8].text, 8, &record, 16, 0);
	bpf_ringbuf_submit_dynptr(&record, 0);
	results[9].returned = bpf_ringbuf_reserve_dynptr(&ring, 8192, 0, &none);
	results[10].returned = bpf_dynptr_read(results[10].text, 1, &none, 0, 0);
	bpf_ringbuf_discard_dynptr(&none, 0);
	return 0;
}

struct timed {
	struct bpf_timer timer;
	__u64 calls;
	__u64 sum;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct timed);
} timed_array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct timed);
} timed_hash SEC(".maps");

static int ring_bell(void *map, __u32 *key, struct timed *value)
{
	value->calls++;
	value->sum += *key;
	return 0;
}

SEC("syscall") int timer(void *ctx)
{
	struct timed fresh = {}, *value;
	__u32 key = 2;

	value = bpf_map_lookup_elem(&timed_array, &key);
	if (!value)
		return 1;
	results[0].returned = bpf_timer_init(&value->timer, &timed_array, 2);
	results[1].returned = bpf_timer_start(&value->timer, 0, 0);
	results[2].returned = bpf_timer_init(&value->timer, &timed_array, 1);
	results[3].returned = bpf_timer_init(&value->timer, &timed_array, 1);
	results[4].returned = bpf_timer_start(&value->timer, 0, 0);
	results[5].returned = bpf_timer_set_callback(&value->timer, ring_bell);
	results[6].returned = bpf_timer_start(&value->timer, 0, 64);
	results[7].returned = bpf_timer_start(&value->timer, 1000000000, 0);
	results[8].returned = bpf_timer_cancel(&value->timer);
	results[9].returned = bpf_timer_cancel(&value->timer);
	results[10].returned = bpf_timer_set_callback(&value->timer, ring_bell);
	results[11].returned = bpf_timer_start(&value->timer, 1000, 0);
	key = 7;
	bpf_map_update_elem(&timed_hash, &key, &fresh, 0);
	value = bpf_map_lookup_elem(&timed_hash, &key);
	if (!value)
		return 2;
	results[12].returned = bpf_timer_init(&value->timer, &timed_hash, 0);
	results[13].returned = bpf_timer_set_callback(&value->timer, ring_bell);
	results[14].returned = bpf_timer_start(&value->timer, 1000, 0);
	return 0;
}

/* Deletes an element whose timer is armed. */
SEC("syscall") int gone(void *ctx)
{
	struct timed fresh = {}, *value;
	__u32 key = 8;

	bpf_map_update_elem(&timed_hash, &key, &fresh, 0);
	value = bpf_map_lookup_elem(&timed_hash, &key);
	if (!value)
		return 1;
	results[0].returned = bpf_timer_init(&value->timer, &timed_hash, 1);
	results[1].returned = bpf_timer_set_callback(&value->timer, ring_bell);
	results[2].returned = bpf_timer_start(&value->timer, 1000000, 0);
	results[3].returned = bpf_map_delete_elem(&timed_hash, &key);
	return 0;
}

struct guarded {
	struct bpf_spin_lock lock;
	__u32 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guarded);
} guarded_array SEC(".maps");

SEC("syscall") int lock(void *ctx)
{
	__u32 key = 0, count;
	struct guarded *value = bpf_map_lookup_elem(&guarded_array, &key);

	if (!value)
		return 1;
	bpf_spin_lock(&value->lock);
	count = ++value->count;
	bpf_spin_unlock(&value->lock);
	results[0].returned = count;
	return 0;
}
