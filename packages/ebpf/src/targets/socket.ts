// SPDX-License-Identifier: Apache-2.0

import type { BpfMap } from "../bpf-map.ts";

/** One open socket, by its descriptor: the program decides how much of each packet it gets. Linux 3.19. */
export interface SocketFilterTarget {
  readonly socketFilter: number;
}

/**
 * The group of sockets that share an address (SO_REUSEPORT), by the descriptor of one of them: the program chooses which
 * gets a connection or a datagram (SO_ATTACH_REUSEPORT_EBPF). It stays for as long as the group unless it is closed.
 * Programs of type sk_reuseport (4.19), and socket filters, which return an index into the group (4.5).
 */
export interface ReuseportTarget {
  readonly reuseport: number;
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
