// SPDX-License-Identifier: Apache-2.0

import type { BpfMap } from "../bpf-map.ts";

/**
 * The kernel's own: the functions of a struct_ops map serve it, for a TCP congestion control under the name that the
 * struct gives. What `Link.target` says of a link made by `attachStructOps`; a program takes no such target. Linux 5.6,
 * by bpf_link 6.4.
 */
export interface StructOpsTarget {
  readonly structOps: BpfMap;
}
