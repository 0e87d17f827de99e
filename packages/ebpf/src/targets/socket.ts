// SPDX-License-Identifier: Apache-2.0

import type { BpfMap } from "../bpf-map.ts";

/** One open socket, by its descriptor: the program decides how much of each packet it gets. Linux 3.19. */
export interface SocketFilterTarget {
  readonly socketFilter: number;
}

/**
 * A sockmap or sockhash: the program runs for the sockets in it. Linux 4.14, by bpf_link 6.10; older kernels are
 * served by BPF_PROG_ATTACH. What is attached follows from the program. A socket runs what was attached when it was
 * put into the map, until it is taken out.
 */
export interface SockmapTarget {
  readonly sockmap: BpfMap;
  /** `attach`: by BPF_PROG_ATTACH, which lasts as long as the map. A link, where the kernel has them, when absent. */
  readonly mode?: "link" | "attach";
}
