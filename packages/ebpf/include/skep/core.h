/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_CORE_H
#define SKEP_CORE_H

/*
 * CO-RE: the compiler records what is asked of the kernel's types, the loader fills in the answers for the kernel that
 * the program is loaded into. <bpf/bpf_core_read.h> may have been included before; then its definitions stay.
 */
#include "helpers.h"

/* A struct whose members may lie elsewhere in the kernel: struct task_struct { int pid; } __core; */
#ifndef __core
#define __core __attribute__((preserve_access_index))
#endif

#ifndef __BPF_CORE_READ_H__
#define __BPF_CORE_READ_H__

/* The kinds of relocations, as LLVM and the kernel number them (enum bpf_core_relo_kind, less the base of each). */
#define SKEP_FIELD_OFFSET 0
#define SKEP_FIELD_SIZE 1
#define SKEP_FIELD_EXISTS 2
#define SKEP_FIELD_SIGNED 3
#define SKEP_FIELD_SHIFT_LEFT 4
#define SKEP_FIELD_SHIFT_RIGHT 5
#define SKEP_TYPE_ID_LOCAL 0
#define SKEP_TYPE_ID_KERNEL 1
#define SKEP_TYPE_EXISTS 0
#define SKEP_TYPE_SIZE 1
#define SKEP_TYPE_MATCHES 2
#define SKEP_ENUM_VALUE_EXISTS 0
#define SKEP_ENUM_VALUE 1

/* A field as an expression, `p->f`, or as a type and a member. */
#define SKEP_FIELD_1(field) (field)
#define SKEP_FIELD_2(type, field) (((typeof(type) *)0)->field)
#define SKEP_FIELD(field...) SKEP_BY_COUNT(SKEP_FIELD_, field)(field)

#define bpf_core_field_exists(field...) __builtin_preserve_field_info(SKEP_FIELD(field), SKEP_FIELD_EXISTS)
#define bpf_core_field_size(field...) __builtin_preserve_field_info(SKEP_FIELD(field), SKEP_FIELD_SIZE)
#define bpf_core_field_offset(field...) __builtin_preserve_field_info(SKEP_FIELD(field), SKEP_FIELD_OFFSET)

#define SKEP_OF_TYPE(type) (*(typeof(type) *)0)
/* The type's number in the object's own BTF, and in the kernel's. */
#define bpf_core_type_id_local(type) __builtin_btf_type_id(SKEP_OF_TYPE(type), SKEP_TYPE_ID_LOCAL)
#define bpf_core_type_id_kernel(type) __builtin_btf_type_id(SKEP_OF_TYPE(type), SKEP_TYPE_ID_KERNEL)
#define bpf_core_type_exists(type) __builtin_preserve_type_info(SKEP_OF_TYPE(type), SKEP_TYPE_EXISTS)
#define bpf_core_type_size(type) __builtin_preserve_type_info(SKEP_OF_TYPE(type), SKEP_TYPE_SIZE)
/* Whether the kernel's type has all members with matching types (clang 15). */
#define bpf_core_type_matches(type) __builtin_preserve_type_info(SKEP_OF_TYPE(type), SKEP_TYPE_MATCHES)

#define bpf_core_enum_value_exists(type, value)									\
	__builtin_preserve_enum_value(*(typeof(type) *)value, SKEP_ENUM_VALUE_EXISTS)
#define bpf_core_enum_value(type, value) __builtin_preserve_enum_value(*(typeof(type) *)value, SKEP_ENUM_VALUE)

/* Copies what lies at an address that may have moved. 0, or a negative errno with the destination zeroed. */
#define bpf_core_read(to, size, from)										\
	bpf_probe_read_kernel(to, size, (const void *)__builtin_preserve_access_index(from))
#define bpf_core_read_user(to, size, from)									\
	bpf_probe_read_user(to, size, (const void *)__builtin_preserve_access_index(from))
#define bpf_core_read_str(to, size, from)									\
	bpf_probe_read_kernel_str(to, size, (const void *)__builtin_preserve_access_index(from))
#define bpf_core_read_user_str(to, size, from)									\
	bpf_probe_read_user_str(to, size, (const void *)__builtin_preserve_access_index(from))

/* A pointer as one of another kernel type, readable without a helper (Linux 6.3). */
extern void *bpf_rdonly_cast(const void *object, __u32 type_id) __ksym __weak;
#define bpf_core_cast(pointer, type)										\
	((typeof(type) *)bpf_rdonly_cast((pointer), bpf_core_type_id_kernel(type)))

/* The path from `a` over members: SKEP_ARROWS(a, b, c) is a->b->c. */
#define SKEP_ARROWS_1(a) a
#define SKEP_ARROWS_2(a, b) a->b
#define SKEP_ARROWS_3(a, b, c) a->b->c
#define SKEP_ARROWS_4(a, b, c, d) a->b->c->d
#define SKEP_ARROWS_5(a, b, c, d, e) a->b->c->d->e
#define SKEP_ARROWS_6(a, b, c, d, e, f) a->b->c->d->e->f
#define SKEP_ARROWS_7(a, b, c, d, e, f, g) a->b->c->d->e->f->g
#define SKEP_ARROWS_8(a, b, c, d, e, f, g, h) a->b->c->d->e->f->g->h
#define SKEP_ARROWS_9(a, b, c, d, e, f, g, h, i) a->b->c->d->e->f->g->h->i
#define SKEP_ARROWS_10(a, b, c, d, e, f, g, h, i, j) a->b->c->d->e->f->g->h->i->j
#define SKEP_ARROWS(path...) SKEP_BY_COUNT(SKEP_ARROWS_, path)(path)

/* Follows the pointers of a path into `skep_at`, with `step` for each. */
#define SKEP_STEPS_1(step, a, b) step(&skep_at, sizeof(skep_at), &(a)->b)
#define SKEP_STEPS_2(step, a, b, c)										\
	SKEP_STEPS_1(step, a, b);										\
	step(&skep_at, sizeof(skep_at), &((typeof(SKEP_ARROWS_2((a), b)))skep_at)->c)
#define SKEP_STEPS_3(step, a, b, c, d)										\
	SKEP_STEPS_2(step, a, b, c);										\
	step(&skep_at, sizeof(skep_at), &((typeof(SKEP_ARROWS_3((a), b, c)))skep_at)->d)
#define SKEP_STEPS_4(step, a, b, c, d, e)									\
	SKEP_STEPS_3(step, a, b, c, d);										\
	step(&skep_at, sizeof(skep_at), &((typeof(SKEP_ARROWS_4((a), b, c, d)))skep_at)->e)
#define SKEP_STEPS_5(step, a, b, c, d, e, f)									\
	SKEP_STEPS_4(step, a, b, c, d, e);									\
	step(&skep_at, sizeof(skep_at), &((typeof(SKEP_ARROWS_5((a), b, c, d, e)))skep_at)->f)
#define SKEP_STEPS_6(step, a, b, c, d, e, f, g)									\
	SKEP_STEPS_5(step, a, b, c, d, e, f);									\
	step(&skep_at, sizeof(skep_at), &((typeof(SKEP_ARROWS_6((a), b, c, d, e, f)))skep_at)->g)
#define SKEP_STEPS_7(step, a, b, c, d, e, f, g, h)								\
	SKEP_STEPS_6(step, a, b, c, d, e, f, g);								\
	step(&skep_at, sizeof(skep_at), &((typeof(SKEP_ARROWS_7((a), b, c, d, e, f, g)))skep_at)->h)
#define SKEP_STEPS_8(step, a, b, c, d, e, f, g, h, i)								\
	SKEP_STEPS_7(step, a, b, c, d, e, f, g, h);								\
	step(&skep_at, sizeof(skep_at), &((typeof(SKEP_ARROWS_8((a), b, c, d, e, f, g, h)))skep_at)->i)

/* Follows a path and reads what is at its end with `last`. */
#define SKEP_READ_1(step, last, to, a, b) last((void *)(to), sizeof(*(to)), &(a)->b)
#define SKEP_READ_2(step, last, to, a, b, c)									\
	const void *skep_at;											\
	SKEP_STEPS_1(step, a, b);										\
	last((void *)(to), sizeof(*(to)), &((typeof(SKEP_ARROWS_2((a), b)))skep_at)->c)
#define SKEP_READ_3(step, last, to, a, b, c, d)									\
	const void *skep_at;											\
	SKEP_STEPS_2(step, a, b, c);										\
	last((void *)(to), sizeof(*(to)), &((typeof(SKEP_ARROWS_3((a), b, c)))skep_at)->d)
#define SKEP_READ_4(step, last, to, a, b, c, d, e)								\
	const void *skep_at;											\
	SKEP_STEPS_3(step, a, b, c, d);										\
	last((void *)(to), sizeof(*(to)), &((typeof(SKEP_ARROWS_4((a), b, c, d)))skep_at)->e)
#define SKEP_READ_5(step, last, to, a, b, c, d, e, f)								\
	const void *skep_at;											\
	SKEP_STEPS_4(step, a, b, c, d, e);									\
	last((void *)(to), sizeof(*(to)), &((typeof(SKEP_ARROWS_5((a), b, c, d, e)))skep_at)->f)
#define SKEP_READ_6(step, last, to, a, b, c, d, e, f, g)							\
	const void *skep_at;											\
	SKEP_STEPS_5(step, a, b, c, d, e, f);									\
	last((void *)(to), sizeof(*(to)), &((typeof(SKEP_ARROWS_6((a), b, c, d, e, f)))skep_at)->g)
#define SKEP_READ_7(step, last, to, a, b, c, d, e, f, g, h)							\
	const void *skep_at;											\
	SKEP_STEPS_6(step, a, b, c, d, e, f, g);								\
	last((void *)(to), sizeof(*(to)), &((typeof(SKEP_ARROWS_7((a), b, c, d, e, f, g)))skep_at)->h)
#define SKEP_READ_8(step, last, to, a, b, c, d, e, f, g, h, i)							\
	const void *skep_at;											\
	SKEP_STEPS_7(step, a, b, c, d, e, f, g, h);								\
	last((void *)(to), sizeof(*(to)), &((typeof(SKEP_ARROWS_8((a), b, c, d, e, f, g, h)))skep_at)->i)
#define SKEP_READ_9(step, last, to, a, b, c, d, e, f, g, h, i, j)						\
	const void *skep_at;											\
	SKEP_STEPS_8(step, a, b, c, d, e, f, g, h, i);								\
	last((void *)(to), sizeof(*(to)), &((typeof(SKEP_ARROWS_9((a), b, c, d, e, f, g, h, i)))skep_at)->j)
#define SKEP_READ(step, last, to, from, path...)								\
	({ SKEP_BY_COUNT(SKEP_READ_, path)(step, last, to, from, path); })

/*
 * BPF_CORE_READ_INTO(&to, task, mm, exe_file) is to = task->mm->exe_file, one probe read for each arrow, up to nine.
 * USER: the memory is a process's. PROBE: the layout is as compiled, without CO-RE, by bpf_probe_read(), which older
 * kernels have. STR: the last is text.
 */
#define BPF_CORE_READ_INTO(to, from, path...) SKEP_READ(bpf_core_read, bpf_core_read, to, from, path)
#define BPF_CORE_READ_USER_INTO(to, from, path...) SKEP_READ(bpf_core_read_user, bpf_core_read_user, to, from, path)
#define BPF_PROBE_READ_INTO(to, from, path...)									\
	SKEP_READ(bpf_probe_read, bpf_probe_read, to, from, path)
#define BPF_PROBE_READ_USER_INTO(to, from, path...)								\
	SKEP_READ(bpf_probe_read_user, bpf_probe_read_user, to, from, path)
#define BPF_CORE_READ_STR_INTO(to, from, path...) SKEP_READ(bpf_core_read, bpf_core_read_str, to, from, path)
#define BPF_CORE_READ_USER_STR_INTO(to, from, path...)								\
	SKEP_READ(bpf_core_read_user, bpf_core_read_user_str, to, from, path)
#define BPF_PROBE_READ_STR_INTO(to, from, path...)								\
	SKEP_READ(bpf_probe_read, bpf_probe_read_str, to, from, path)
#define BPF_PROBE_READ_USER_STR_INTO(to, from, path...)								\
	SKEP_READ(bpf_probe_read_user, bpf_probe_read_user_str, to, from, path)

/* The same as expressions: pid = BPF_CORE_READ(task, real_parent, tgid). 0 where reading fails. */
#define SKEP_READ_VALUE(into, from, path...)									\
	({													\
		typeof(SKEP_ARROWS((from), path)) skep_value;							\
		into(&skep_value, (from), path);								\
		skep_value;											\
	})
#define BPF_CORE_READ(from, path...) SKEP_READ_VALUE(BPF_CORE_READ_INTO, from, path)
#define BPF_CORE_READ_USER(from, path...) SKEP_READ_VALUE(BPF_CORE_READ_USER_INTO, from, path)
#define BPF_PROBE_READ(from, path...) SKEP_READ_VALUE(BPF_PROBE_READ_INTO, from, path)
#define BPF_PROBE_READ_USER(from, path...) SKEP_READ_VALUE(BPF_PROBE_READ_USER_INTO, from, path)

/*
 * Bitfields, whose place, width and sign the loader fills in. `s` points to a struct that the program may read;
 * PROBED reads it with bpf_probe_read_kernel().
 */
#define SKEP_INFO(s, field, kind) __builtin_preserve_field_info((s)->field, kind)
#define SKEP_SHIFTED(s, field, bits)										\
	({													\
		unsigned long long skep_bits = (bits) << SKEP_INFO(s, field, SKEP_FIELD_SHIFT_LEFT);		\
		SKEP_INFO(s, field, SKEP_FIELD_SIGNED)								\
			? (unsigned long long)((long long)skep_bits >> SKEP_INFO(s, field, SKEP_FIELD_SHIFT_RIGHT)) \
			: skep_bits >> SKEP_INFO(s, field, SKEP_FIELD_SHIFT_RIGHT);				\
	})

#define BPF_CORE_READ_BITFIELD(s, field)									\
	({													\
		const void *skep_from = (const void *)(s) + SKEP_INFO(s, field, SKEP_FIELD_OFFSET);		\
		unsigned long long skep_raw = 0;								\
		/* The constant offset must stay in the load, as the loader knows it there. */			\
		barrier_var(skep_from);										\
		switch (SKEP_INFO(s, field, SKEP_FIELD_SIZE)) {							\
		case 1:												\
			skep_raw = *(const unsigned char *)skep_from;						\
			break;											\
		case 2:												\
			skep_raw = *(const unsigned short *)skep_from;						\
			break;											\
		case 4:												\
			skep_raw = *(const unsigned int *)skep_from;						\
			break;											\
		case 8:												\
			skep_raw = *(const unsigned long long *)skep_from;					\
			break;											\
		}												\
		SKEP_SHIFTED(s, field, skep_raw);								\
	})

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SKEP_TAIL_OF(value, size) ((void *)&(value))
#else
#define SKEP_TAIL_OF(value, size) ((void *)&(value) + (8 - (size)))
#endif
#define BPF_CORE_READ_BITFIELD_PROBED(s, field)									\
	({													\
		const __u32 skep_size = SKEP_INFO(s, field, SKEP_FIELD_SIZE);					\
		unsigned long long skep_raw = 0;								\
		bpf_probe_read_kernel(SKEP_TAIL_OF(skep_raw, skep_size), skep_size,				\
				      (const void *)(s) + SKEP_INFO(s, field, SKEP_FIELD_OFFSET));		\
		SKEP_SHIFTED(s, field, skep_raw);								\
	})

/* Changes a bitfield of memory that the program may write. */
#define SKEP_REPLACE_BITS(type, to, mask, bits) (*(type *)(to) = (*(type *)(to) & ~(mask)) | (bits))
#define BPF_CORE_WRITE_BITFIELD(s, field, value)								\
	({													\
		void *skep_to = (void *)(s) + SKEP_INFO(s, field, SKEP_FIELD_OFFSET);				\
		const unsigned long long skep_mask =								\
			(~0ULL << SKEP_INFO(s, field, SKEP_FIELD_SHIFT_RIGHT)) >>				\
			SKEP_INFO(s, field, SKEP_FIELD_SHIFT_LEFT);						\
		const unsigned long long skep_bits =								\
			((unsigned long long)(value) << SKEP_INFO(s, field, SKEP_FIELD_SHIFT_RIGHT)) >>		\
			SKEP_INFO(s, field, SKEP_FIELD_SHIFT_LEFT);						\
		barrier_var(skep_to);										\
		switch (SKEP_INFO(s, field, SKEP_FIELD_SIZE)) {							\
		case 1:												\
			SKEP_REPLACE_BITS(unsigned char, skep_to, skep_mask, skep_bits);			\
			break;											\
		case 2:												\
			SKEP_REPLACE_BITS(unsigned short, skep_to, skep_mask, skep_bits);			\
			break;											\
		case 4:												\
			SKEP_REPLACE_BITS(unsigned int, skep_to, skep_mask, skep_bits);				\
			break;											\
		case 8:												\
			SKEP_REPLACE_BITS(unsigned long long, skep_to, skep_mask, skep_bits);			\
			break;											\
		}												\
	})
#endif

#endif
