// SPDX-License-Identifier: Apache-2.0

import type { Ordering } from "./ordering.ts";

/** A network interface, looked up in its namespace at the moment of the attach. */
export interface InterfacePoint {
  /** Name or index. An index means something in one network namespace only. */
  readonly interface: string | number;
  /** Network namespace: a path such as `/run/netns/blue`, or an open descriptor; this process's own when absent. */
  readonly netns?: string | number;
}

/** Packets as they arrive at an interface, before the kernel's stack. By bpf_link: Linux 5.9. */
export interface XdpTarget {
  readonly xdp: XdpPoint;
}

/** Where an XDP program runs. */
export interface XdpPoint extends InterfacePoint {
  /** `driver`: before the kernel makes a packet of it; `generic`: after. The kernel chooses when absent. */
  readonly mode?: "generic" | "driver" | "offload";
}

/** Traffic control without a qdisc. Linux 6.6. */
export interface TcxTarget {
  readonly tcx: TcxPoint;
}

/** Which side of which interface. */
export interface TcxPoint extends InterfacePoint, Ordering {
  /** What the program's section says when absent (`tcx/ingress`). */
  readonly direction?: "ingress" | "egress";
}

/**
 * Traffic control by a filter of the clsact queueing discipline, for kernels before {@link TcxTarget}. Linux 4.5.
 * The filter is no link: it outlives a process that dies without closing. The discipline, made when there is none,
 * stays.
 */
export interface TcTarget {
  readonly tc: TcPoint;
}

/** Which side of which interface, and when. */
export interface TcPoint extends InterfacePoint {
  readonly direction: "ingress" | "egress";
  /** Lower runs first, 1 to 65535; the kernel chooses when absent or 0: before those that are there. */
  readonly priority?: number;
}

/** A netkit device pair, named by its primary interface. Linux 6.7. */
export interface NetkitTarget {
  readonly netkit: NetkitPoint;
}

/** Which end of which pair. */
export interface NetkitPoint extends InterfacePoint, Ordering {
  /** What the program's section says when absent (`netkit/peer`). */
  readonly end?: "primary" | "peer";
}

/**
 * A network namespace, by a path or an open descriptor: socket lookup (5.9) and flow dissector programs (link:
 * 5.8). What is attached follows from the program.
 */
export interface NetnsTarget {
  readonly netns: string | number;
}

/** A netfilter hook. Linux 6.4. */
export interface NetfilterTarget {
  readonly netfilter: NetfilterPoint;
}

/** Which hook, and when among the others there. */
export interface NetfilterPoint {
  readonly family: "ipv4" | "ipv6";
  readonly hook: "prerouting" | "input" | "forward" | "output" | "postrouting";
  /** Lower runs first. No two BPF programs of a hook can have the same; the lowest and highest numbers are reserved. */
  readonly priority: number;
  /** Put packets together before the program sees them; needs a priority above -400 (6.6). */
  readonly defragment?: boolean;
  /** Network namespace: a path or an open descriptor; this process's own when absent. */
  readonly netns?: string | number;
}
