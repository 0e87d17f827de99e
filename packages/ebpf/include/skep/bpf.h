/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_ALL_H
#define SKEP_BPF_ALL_H

/*
 * Everything that a BPF program usually needs, with clang alone: no package of headers is used.
 *
 *   #include <skep/bpf.h>                 types of the BPF interface, helpers, CO-RE, tracing
 *
 *   #include "vmlinux.h"                  before it, for the kernel's own types: `skep bpf vmlinux-h > vmlinux.h`
 *   #include <skep/net.h>                 after it, for packet headers
 *   #include <skep.bpf.h>                 after it, for Skep's collectors
 */
#include "types.h"
#include "uapi.h"
#include "helpers.h"
#include "endian.h"
#include "core.h"
#include "tracing.h"
#include "struct-ops.h"
#include "arena.h"

#endif
