// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* CO-RE relocations of every kind, over types that only the test knows. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define relocatable __attribute__((preserve_access_index))

enum state {
	STATE_IDLE = 1,
	STATE_BUSY = 2,
};

struct point {
	int x;
	int y;
} relocatable;

struct widget {
	__u32 id;
	union {
		__u64 serial;
		void *owner;
	};
	struct point corners[4];
	__u8 flag_a : 1;
	__u8 level : 3;
	__u16 tag;
	__u32 last;
} relocatable;

/* An older shape of the same type. */
struct widget___old {
	__u32 number;
} relocatable;

struct absent {
	int field;
} relocatable;

__u64 result[16];

SEC("raw_tp/test")
int fields(void *context)
{
	struct widget *w = context;

	result[0] = w->id;
	result[1] = w->serial;
	result[2] = w->corners[2].y;
	result[3] = w->tag;
	result[4] = w->last;
	return 0;
}

SEC("raw_tp/test")
int questions(void *context)
{
	struct widget *w = context;

	result[0] = bpf_core_field_exists(w->tag);
	result[1] = bpf_core_field_exists(((struct widget___old *)w)->number);
	result[2] = bpf_core_field_size(w->corners);
	result[3] = bpf_core_type_exists(struct absent);
	result[4] = bpf_core_type_size(struct widget);
	result[5] = bpf_core_type_id_kernel(struct widget);
	result[6] = bpf_core_type_id_local(struct widget);
	result[7] = bpf_core_enum_value_exists(enum state, STATE_BUSY);
	result[8] = bpf_core_enum_value(enum state, STATE_BUSY);
	return 0;
}

SEC("raw_tp/test")
int bits(void *context)
{
	struct widget *w = context;

	result[0] = BPF_CORE_READ_BITFIELD_PROBED(w, level);
	return 0;
}

SEC("raw_tp/test")
int guarded(void *context)
{
	struct absent *a = context;

	if (bpf_core_field_exists(a->field))
		result[0] = a->field;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
