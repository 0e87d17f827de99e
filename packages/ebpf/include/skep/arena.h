/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_ARENA_H
#define SKEP_ARENA_H

/*
 * Memory that programs and user space share, with pointers that mean the same in both (Linux 6.9, clang 19).
 *
 *   struct { __uint(type, BPF_MAP_TYPE_ARENA); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, 100); }
 *   arena SEC(".maps");                                       100 pages
 *
 *   struct node { struct node __arena *next; int value; };
 *   struct node __arena *first;                               a global that holds a pointer into it
 *   int __arena_global counter;                               a global that lies in it
 */
#include "helpers.h"

#if defined(__BPF_FEATURE_ADDR_SPACE_CAST) && !defined(BPF_ARENA_FORCE_ASM)
#ifndef __arena
#define __arena __attribute__((address_space(1)))
#endif
#ifndef __arena_global
#define __arena_global __attribute__((address_space(1))) SEC(".addr_space.1")
#endif
/* The compiler converts between the address spaces by itself; these are for programs that say it. */
#ifndef cast_kern
#define cast_kern(pointer) ((void)(pointer))
#endif
#ifndef cast_user
#define cast_user(pointer) ((void)(pointer))
#endif

extern void __arena *bpf_arena_alloc_pages(void *map, void __arena *address, __u32 pages, int node, __u64 flags) __ksym
	__weak;
extern void bpf_arena_free_pages(void *map, void __arena *address, __u32 pages) __ksym __weak;
#endif

/* No NUMA node in particular, for bpf_arena_alloc_pages(). */
#ifndef NUMA_NO_NODE
#define NUMA_NO_NODE (-1)
#endif

/*
 * while (can_loop) { … }, or while (…) { …; cond_break; }: a loop as long as it likes, of which the verifier sees the
 * end (Linux 6.9, clang 19 with -mcpu=v3).
 */
#ifdef __BPF_FEATURE_MAY_GOTO
#ifndef can_loop
#define can_loop												\
	({													\
		__label__ skep_break, skep_go_on;								\
		_Bool skep_can = 1;										\
		asm volatile goto("may_goto %l[skep_break]" : : : : skep_break);				\
		goto skep_go_on;										\
	skep_break:												\
		skep_can = 0;											\
	skep_go_on:;												\
		skep_can;											\
	})
#endif
#ifndef cond_break
#define cond_break												\
	({													\
		__label__ skep_break, skep_go_on;								\
		asm volatile goto("may_goto %l[skep_break]" : : : : skep_break);				\
		goto skep_go_on;										\
	skep_break:												\
		break;												\
	skep_go_on:;												\
	})
#endif
#endif

#endif
