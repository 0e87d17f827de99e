// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps whose values belong to an inode, a cgroup, a task or a socket. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct usage {
	__u64 count;
};

#define STORAGE(map_name, map_type)                                                                                    \
	struct {                                                                                                       \
		__uint(type, map_type);                                                                                \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                                                  \
		__type(key, int);                                                                                      \
		__type(value, struct usage);                                                                           \
	} map_name SEC(".maps")

STORAGE(inodes, BPF_MAP_TYPE_INODE_STORAGE);
/* BPF_MAP_TYPE_CGRP_STORAGE: 6.2, newer than some headers. */
STORAGE(cgroups, 32);
STORAGE(tasks, BPF_MAP_TYPE_TASK_STORAGE);
STORAGE(sockets, BPF_MAP_TYPE_SK_STORAGE);

char LICENSE[] SEC("license") = "Dual BSD/GPL";
