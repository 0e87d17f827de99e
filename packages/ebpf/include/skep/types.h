/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_TYPES_H
#define SKEP_TYPES_H

/*
 * The integers that everything else is made of. A vmlinux.h that was included before has them already;
 * <linux/types.h> may come before or after, C11 allows a typedef to be repeated.
 */
#ifndef __VMLINUX_H__
#include <stdbool.h>
#include <stddef.h>

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;

typedef __s8 s8;
typedef __u8 u8;
typedef __s16 s16;
typedef __u16 u16;
typedef __s32 s32;
typedef __u32 u32;
typedef __s64 s64;
typedef __u64 u64;

/* In the byte order that the name says; nothing checks it. */
typedef __u16 __le16;
typedef __u16 __be16;
typedef __u32 __le32;
typedef __u32 __be32;
typedef __u64 __le64;
typedef __u64 __be64;
typedef __u16 __sum16;
typedef __u32 __wsum;
#endif

#ifndef NULL
#define NULL ((void *)0)
#endif

#endif
