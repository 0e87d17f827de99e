// SPDX-License-Identifier: Apache-2.0
/*
 * The reference of the `load` benchmark: libbpf opens the kernel's types, finds the structs named on standard input,
 * and loads the object. load OBJECT prints the nanoseconds of each step, the sum of the ids found, the number of
 * programs loaded, and how many KiB the process grew by.
 */
#include "bpf-calls.h"
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#define NAMES 1000

/* KiB. Not getrusage's: that begins with what the parent had. */
static long peak(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long peak = -1;

	if (!file)
		fail("/proc/self/status");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "VmHWM: %ld", &peak) == 1)
			break;
	fclose(file);
	return peak;
}

int main(int argc, char **argv)
{
	static char names[NAMES][128];
	unsigned count = 0, programs = 0;
	double start, opened, found, loaded;
	struct bpf_object *object;
	struct bpf_program *program;
	struct btf *types;
	long before, sum = 0;

	if (argc != 2)
		return 2;
	while (count < NAMES && scanf("%127s", names[count]) == 1)
		count++;
	before = peak();
	start = now();
	types = btf__load_vmlinux_btf();
	if (!types)
		fail("btf__load_vmlinux_btf");
	opened = now();
	for (unsigned i = 0; i < count; i++)
		sum += btf__find_by_name_kind(types, names[i], BTF_KIND_STRUCT);
	found = now();
	object = bpf_object__open(argv[1]);
	if (!object)
		fail("bpf_object__open");
	if (bpf_object__load(object))
		fail("bpf_object__load");
	bpf_object__for_each_program(program, object)
		programs += bpf_program__fd(program) >= 0;
	loaded = now();
	printf("%f %f %f %ld %u %ld\n", opened - start, found - opened, loaded - found, sum, programs, peak() - before);
	bpf_object__close(object);
	btf__free(types);
	return 0;
}
