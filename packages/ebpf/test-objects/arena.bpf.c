// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Variables that lie in an arena. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Linux 6.9. */
#define BPF_MAP_TYPE_ARENA 33

#define __arena __attribute__((address_space(1)))

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16);
} arena SEC(".maps");

struct point {
	int x;
	int y;
};

int __arena counter = 5;
struct point __arena corner = { 3, 4 };
char __arena text[5000] = "arena";
__u64 __arena zero;

SEC("syscall")
int touch(void *context)
{
	counter += 2;
	corner.x = corner.y * 10;
	zero = 1;
	return counter + text[0];
}

char LICENSE[] SEC("license") = "GPL";
