// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* skep: target=bpfeb */
/* The same as extern.bpf.c in the other byte order. */
#include "extern.bpf.c"
