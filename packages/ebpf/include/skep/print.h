/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_PRINT_H
#define SKEP_PRINT_H

#include "helpers.h"

/* The values of a format as the array that the kernel's printing helpers take. */
#define SKEP_VALUES_0()
#define SKEP_VALUES_1(a) (unsigned long long)(a)
#define SKEP_VALUES_2(a, ...) (unsigned long long)(a), SKEP_VALUES_1(__VA_ARGS__)
#define SKEP_VALUES_3(a, ...) (unsigned long long)(a), SKEP_VALUES_2(__VA_ARGS__)
#define SKEP_VALUES_4(a, ...) (unsigned long long)(a), SKEP_VALUES_3(__VA_ARGS__)
#define SKEP_VALUES_5(a, ...) (unsigned long long)(a), SKEP_VALUES_4(__VA_ARGS__)
#define SKEP_VALUES_6(a, ...) (unsigned long long)(a), SKEP_VALUES_5(__VA_ARGS__)
#define SKEP_VALUES_7(a, ...) (unsigned long long)(a), SKEP_VALUES_6(__VA_ARGS__)
#define SKEP_VALUES_8(a, ...) (unsigned long long)(a), SKEP_VALUES_7(__VA_ARGS__)
#define SKEP_VALUES_9(a, ...) (unsigned long long)(a), SKEP_VALUES_8(__VA_ARGS__)
#define SKEP_VALUES_10(a, ...) (unsigned long long)(a), SKEP_VALUES_9(__VA_ARGS__)
#define SKEP_VALUES_11(a, ...) (unsigned long long)(a), SKEP_VALUES_10(__VA_ARGS__)
#define SKEP_VALUES_12(a, ...) (unsigned long long)(a), SKEP_VALUES_11(__VA_ARGS__)
#define SKEP_VALUES(...) SKEP_BY_COUNT(SKEP_VALUES_, ##__VA_ARGS__)(__VA_ARGS__)

/* Declares `skep_format`, in the object's constants, and `skep_values`. */
#define SKEP_FORMAT(format, ...)										\
	static const char skep_format[] = format;								\
	SKEP_WITHOUT_WARNING("GCC diagnostic ignored \"-Wint-conversion\"",					\
			     unsigned long long skep_values[] = { SKEP_VALUES(__VA_ARGS__) };)

/*
 * Prints into the kernel's trace log, `skep bpf trace-log`. To three values with bpf_trace_printk, up to twelve with
 * bpf_trace_vprintk (Linux 5.16). Returns the number of bytes, or a negative errno.
 */
#ifndef bpf_printk
#ifdef BPF_NO_GLOBAL_DATA
#define SKEP_FORMAT_STORAGE char
#else
#define SKEP_FORMAT_STORAGE static const char
#endif
#define SKEP_PRINTK_FEW(format, ...)										\
	({													\
		SKEP_FORMAT_STORAGE skep_format[] = format;							\
		bpf_trace_printk(skep_format, sizeof(skep_format), ##__VA_ARGS__);				\
	})
#define SKEP_PRINTK_MANY(format, ...)										\
	({													\
		SKEP_FORMAT(format, __VA_ARGS__)								\
		bpf_trace_vprintk(skep_format, sizeof(skep_format), skep_values, sizeof(skep_values));		\
	})
#define SKEP_PRINTK_0 SKEP_PRINTK_FEW
#define SKEP_PRINTK_1 SKEP_PRINTK_FEW
#define SKEP_PRINTK_2 SKEP_PRINTK_FEW
#define SKEP_PRINTK_3 SKEP_PRINTK_FEW
#define SKEP_PRINTK_4 SKEP_PRINTK_MANY
#define SKEP_PRINTK_5 SKEP_PRINTK_MANY
#define SKEP_PRINTK_6 SKEP_PRINTK_MANY
#define SKEP_PRINTK_7 SKEP_PRINTK_MANY
#define SKEP_PRINTK_8 SKEP_PRINTK_MANY
#define SKEP_PRINTK_9 SKEP_PRINTK_MANY
#define SKEP_PRINTK_10 SKEP_PRINTK_MANY
#define SKEP_PRINTK_11 SKEP_PRINTK_MANY
#define SKEP_PRINTK_12 SKEP_PRINTK_MANY
#define bpf_printk(format, args...) SKEP_BY_COUNT(SKEP_PRINTK_, ##args)(format, ##args)
#endif

/* Prints into the file of an iterator program: BPF_SEQ_PRINTF(ctx->meta->seq, "%d\n", n). Linux 5.8. */
#ifndef BPF_SEQ_PRINTF
#define BPF_SEQ_PRINTF(file, format, args...)									\
	({													\
		SKEP_FORMAT(format, ##args)									\
		bpf_seq_printf(file, skep_format, sizeof(skep_format), skep_values, sizeof(skep_values));	\
	})
#endif

/* Prints into memory. Returns the size that the text needs with its NUL, or a negative errno. Linux 5.13. */
#ifndef BPF_SNPRINTF
#define BPF_SNPRINTF(out, out_size, format, args...)								\
	({													\
		SKEP_FORMAT(format, ##args)									\
		bpf_snprintf(out, out_size, skep_format, skep_values, sizeof(skep_values));			\
	})
#endif

#endif
