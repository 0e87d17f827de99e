/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_LOOPS_H
#define SKEP_LOOPS_H

#include "helpers.h"

/*
 * Loops over open-coded iterators (Linux 6.4): the verifier checks the body once, however often it runs. `break`,
 * `continue` and `return` leave the iterator behind properly.
 */
struct bpf_iter_num;
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __weak __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __weak __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __weak __ksym;

/* The iterator's functions take the stack slot itself; the third keeps a reference, so that their types are kept. */
#define SKEP_ITERATOR(type, args...)										\
	struct bpf_iter_##type skep_iterator __attribute__((aligned(8), cleanup(bpf_iter_##type##_destroy))),	\
		*skep_unused __attribute__((unused)) = (bpf_iter_##type##_new(&skep_iterator, ##args),		\
							(void)bpf_iter_##type##_destroy, (void *)0)

/* bpf_for_each(task, pointer, NULL, BPF_TASK_ITER_ALL_PROCS) { … }: every element of a kind that the kernel has. */
#ifndef bpf_for_each
#define bpf_for_each(type, current, args...)									\
	for (SKEP_ITERATOR(type, ##args); (((current) = bpf_iter_##type##_next(&skep_iterator)));)
#endif

/* bpf_for(i, 0, n) { … }: `i` from `start` to before `end`, and known to the verifier to be there. */
#ifndef bpf_for
#define bpf_for(i, start, end)											\
	for (SKEP_ITERATOR(num, (start), (end)); ({								\
		     int *skep_next = bpf_iter_num_next(&skep_iterator);					\
		     (skep_next && ((i) = *skep_next, (i) >= (start) && (i) < (end)));				\
	     });)
#endif

/* bpf_repeat(n) { … } */
#ifndef bpf_repeat
#define bpf_repeat(count) for (SKEP_ITERATOR(num, 0, (count)); bpf_iter_num_next(&skep_iterator);)
#endif

#endif
