/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_STRUCT_OPS_H
#define SKEP_STRUCT_OPS_H

/*
 * Programs that a table of functions of the kernel is made of, and the table:
 *
 *   __u32 BPF_STRUCT_OPS(my_ssthresh, struct sock *sk) { return 4; }
 *
 *   SEC(".struct_ops.link") struct tcp_congestion_ops mine = { .ssthresh = (void *)my_ssthresh, .name = "mine" };
 */
#include "tracing.h"

#ifndef BPF_STRUCT_OPS
#define BPF_STRUCT_OPS(name, args...) SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#endif
#ifndef BPF_STRUCT_OPS_SLEEPABLE
#define BPF_STRUCT_OPS_SLEEPABLE(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)
#endif

#endif
