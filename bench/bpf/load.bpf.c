// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Thirty programs of the `load` benchmark, each with some twenty CO-RE relocations. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};
struct pid_namespace {
	struct ns_common ns;
	unsigned int level;
};
struct uts_namespace {
	struct ns_common ns;
};
struct net {
	struct ns_common ns;
	int ifindex;
};
struct nsproxy {
	struct uts_namespace *uts_ns;
	struct pid_namespace *pid_ns_for_children;
	struct net *net_ns;
};
struct mm_struct {
	unsigned long total_vm, stack_vm, start_code, end_code, start_stack, arg_start, arg_end, env_start;
	int map_count;
};
typedef struct {
	__u32 val;
} kuid_t;
struct cred {
	kuid_t uid, euid, suid, fsuid;
};
struct qstr {
	const unsigned char *name;
};
struct inode {
	unsigned long i_ino;
	unsigned int i_flags;
	long i_size;
};
struct dentry {
	struct dentry *d_parent;
	struct inode *d_inode;
};
struct path {
	struct dentry *dentry;
};
struct file {
	unsigned int f_flags;
	struct path f_path;
};
struct fs_struct {
	struct path root, pwd;
	int umask;
};
struct signal_struct {
	int nr_threads, group_exit_code;
	struct task_struct *curr_target;
	unsigned long nvcsw, nivcsw, min_flt, maj_flt;
};
struct task_struct {
	int pid, tgid, prio, static_prio, exit_code;
	unsigned int flags, policy;
	__u64 start_time, utime, stime;
	unsigned long nvcsw, nivcsw, min_flt, maj_flt;
	struct task_struct *real_parent, *group_leader;
	struct mm_struct *mm, *active_mm;
	const struct cred *cred, *real_cred;
	struct nsproxy *nsproxy;
	struct fs_struct *fs;
	struct signal_struct *signal;
	char comm[16];
};

#pragma clang attribute pop

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} sums SEC(".maps");

#define READ(...) sum += (__u64)BPF_CORE_READ(task, __VA_ARGS__)

#define PROGRAM(n, name)                                                                                               \
	SEC("raw_tp/sched_switch")                                                                                     \
	int program_##n(void *context)                                                                                 \
	{                                                                                                              \
		struct task_struct *task = (void *)bpf_get_current_task();                                             \
		__u32 key = n;                                                                                         \
		__u64 sum = n;                                                                                         \
                                                                                                                       \
		if (bpf_core_field_exists(task->name))                                                                 \
			READ(name);                                                                                    \
		READ(pid);                                                                                             \
		READ(start_time);                                                                                      \
		READ(real_parent, tgid);                                                                               \
		READ(mm, total_vm);                                                                                    \
		READ(mm, map_count);                                                                                   \
		READ(cred, uid.val);                                                                                   \
		READ(nsproxy, uts_ns, ns.inum);                                                                        \
		READ(nsproxy, net_ns, ns.inum);                                                                        \
		READ(fs, pwd.dentry, d_inode, i_ino);                                                                  \
		READ(fs, umask);                                                                                       \
		READ(signal, nr_threads);                                                                              \
		bpf_map_update_elem(&sums, &key, &sum, 0);                                                             \
		return 0;                                                                                              \
	}

PROGRAM(1, pid)
PROGRAM(2, tgid)
PROGRAM(3, prio)
PROGRAM(4, static_prio)
PROGRAM(5, exit_code)
PROGRAM(6, flags)
PROGRAM(7, policy)
PROGRAM(8, start_time)
PROGRAM(9, utime)
PROGRAM(10, stime)
PROGRAM(11, nvcsw)
PROGRAM(12, nivcsw)
PROGRAM(13, min_flt)
PROGRAM(14, maj_flt)
PROGRAM(15, group_leader)
PROGRAM(16, active_mm)
PROGRAM(17, real_cred)
PROGRAM(18, nsproxy)
PROGRAM(19, signal)
PROGRAM(20, fs)
PROGRAM(21, pid)
PROGRAM(22, tgid)
PROGRAM(23, prio)
PROGRAM(24, static_prio)
PROGRAM(25, exit_code)
PROGRAM(26, flags)
PROGRAM(27, policy)
PROGRAM(28, start_time)
PROGRAM(29, utime)
PROGRAM(30, stime)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
