/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_HELPERS_H
#define SKEP_HELPERS_H

/*
 * Sections, map definitions, attributes and the kernel's helper functions. <bpf/bpf_helpers.h> may have been
 * included before; then its definitions stay. When it comes after, it finds its own guard and adds nothing.
 */
#include "types.h"
#include "uapi.h"
#include "macros.h"

#ifndef __BPF_HELPERS__
#define __BPF_HELPERS__
#include "helper-functions.h"

/* Whether a map or a program is shared by its name in the BPF file system: __uint(pinning, LIBBPF_PIN_BY_NAME). */
enum libbpf_pin_type {
	LIBBPF_PIN_NONE = 0,
	LIBBPF_PIN_BY_NAME = 1,
};

/* What `extern enum libbpf_tristate CONFIG_X __kconfig` can be. */
enum libbpf_tristate {
	TRI_NO = 0,
	TRI_YES = 1,
	TRI_MODULE = 2,
};

/* Hands over to the program at a constant index, so that the kernel can make the call a jump. Linux 5.5. */
static inline __attribute__((always_inline)) void bpf_tail_call_static(void *ctx, const void *map, const __u32 slot)
{
	if (!__builtin_constant_p(slot))
		__builtin_trap();
	/* The map and the index must be constants in the very registers of the call. */
	asm volatile("r1 = %[ctx]\n\t"
		     "r2 = %[map]\n\t"
		     "r3 = %[slot]\n\t"
		     "call 12"
		     :
		     : [ctx] "r"(ctx), [map] "r"(map), [slot] "i"(slot)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
}
#endif

/* The ELF section of a program, map or variable. */
#ifndef SEC
#define SEC(name)												\
	_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wignored-attributes\"")		\
		__attribute__((section(name), used)) _Pragma("GCC diagnostic pop")
#endif

/* Members of a map's definition. */
#ifndef __uint
#define __uint(name, number) int(*name)[number]
#endif
#ifndef __type
#define __type(name, type) typeof(type) *name
#endif
#ifndef __array
#define __array(name, type) typeof(type) *name[]
#endif
#ifndef __ulong
#define __ulong(name, number)											\
	enum { SKEP_CONCAT(skep_ulong_, __COUNTER__) = number } name
#endif

/* Functions and variables. */
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif
/* Keeps a global function from being verified on its own: it is then checked with each caller, as a static one. */
#ifndef __hidden
#define __hidden __attribute__((visibility("hidden")))
#endif
/* Values that the loader takes from the kernel's configuration, and addresses and functions of the kernel. */
#ifndef __kconfig
#define __kconfig __attribute__((section(".kconfig")))
#endif
#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

/* Pointers to the kernel's objects in map values. */
#ifndef __kptr
#define __kptr __attribute__((btf_type_tag("kptr")))
#endif
#ifndef __kptr_untrusted
#define __kptr_untrusted __attribute__((btf_type_tag("kptr_untrusted")))
#endif
#ifndef __percpu_kptr
#define __percpu_kptr __attribute__((btf_type_tag("percpu_kptr")))
#endif
#ifndef __uptr
#define __uptr __attribute__((btf_type_tag("uptr")))
#endif

/* What the verifier may expect of an argument of a global function (Linux 6.8). */
#ifndef __arg_ctx
#define __arg_ctx __attribute__((btf_decl_tag("arg:ctx")))
#endif
#ifndef __arg_nonnull
#define __arg_nonnull __attribute__((btf_decl_tag("arg:nonnull")))
#endif
#ifndef __arg_nullable
#define __arg_nullable __attribute__((btf_decl_tag("arg:nullable")))
#endif
#ifndef __arg_trusted
#define __arg_trusted __attribute__((btf_decl_tag("arg:trusted")))
#endif
#ifndef __arg_untrusted
#define __arg_untrusted __attribute__((btf_decl_tag("arg:untrusted")))
#endif
#ifndef __arg_arena
#define __arg_arena __attribute__((btf_decl_tag("arg:arena")))
#endif

#ifndef KERNEL_VERSION
#define KERNEL_VERSION(major, minor, patch) (((major) << 16) + ((minor) << 8) + ((patch) > 255 ? 255 : (patch)))
#endif

#ifndef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)
#endif
/* The struct that a member lies in. */
#ifndef container_of
#define container_of(pointer, type, member)									\
	({													\
		void *skep_member = (void *)(pointer);								\
		(type *)(skep_member - offsetof(type, member));							\
	})
#endif

/* Keep the compiler from moving memory accesses past a place, and from knowing what is in a variable. */
#ifndef barrier
#define barrier() asm volatile("" ::: "memory")
#endif
#ifndef barrier_var
#define barrier_var(variable) asm volatile("" : "+r"(variable))
#endif

/* Whether a weak symbol of the kernel is there: extern int f(void) __ksym __weak; if (bpf_ksym_exists(f)) … */
#ifndef bpf_ksym_exists
#define bpf_ksym_exists(symbol)											\
	({													\
		_Static_assert(!__builtin_constant_p(!!(symbol)), #symbol " must be declared __weak");		\
		!!(symbol);											\
	})
#endif

#include "print.h"
#include "loops.h"

#endif
