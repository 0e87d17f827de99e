// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* skep: target=bpfeb */
/* The same as map-in-map.bpf.c in the other byte order. */
#include "map-in-map.bpf.c"
