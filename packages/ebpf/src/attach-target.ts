// SPDX-License-Identifier: Apache-2.0

import type { CgroupTarget } from "./targets/cgroup.ts";
import type { NetfilterTarget, NetkitTarget, NetnsTarget, TcTarget, TcxTarget, XdpTarget } from "./targets/network.ts";
import type {
  KprobeMultiTarget,
  KprobeTarget,
  KretprobeTarget,
  KretsyscallTarget,
  KsyscallTarget,
  UprobeMultiTarget,
  UprobeTarget,
  UretprobeTarget,
  UsdtTarget,
} from "./targets/probes.ts";
import type { ReuseportTarget, SocketFilterTarget, SockmapTarget } from "./targets/socket.ts";
import type { StructOpsTarget } from "./targets/struct-ops.ts";
import type {
  FentryTarget,
  FexitTarget,
  FmodRetTarget,
  FreplaceTarget,
  IteratorTarget,
  LsmTarget,
  TpBtfTarget,
} from "./targets/tracing.ts";

/** `tracepoint` in `category:name` form, as under tracefs' `events/`. Linux 4.7, by bpf_link 5.15. */
export interface TracepointTarget {
  readonly tracepoint: string;
  /** Value that the program gets from bpf_get_attach_cookie (5.15). */
  readonly cookie?: bigint;
}

/** Raw tracepoint by name: `sched_process_exec`. Linux 4.17. */
export interface RawTracepointTarget {
  readonly rawTracepoint: string;
  /** Value that the program gets from bpf_get_attach_cookie (6.10). */
  readonly cookie?: bigint;
}

/** A perf event that runs the program on each overflow. Linux 4.9, by bpf_link 5.15. */
export interface PerfEventTarget {
  /** Which event, or the descriptor of one that the caller opened and keeps; it is started. */
  readonly perfEvent: PerfEventSource | { readonly fd: number };
  readonly cookie?: bigint;
}

/** Which perf event, and how often. */
export interface PerfEventSource {
  /**
   * As in perf_event_open(2): `software:cpu-clock`, `hardware:cpu-cycles`, `hw-cache:l1d:read:miss`, `raw:0x1a8` (by the
   * processor's own number), `breakpoint:0x7f001234/4:rw` (an address, how many bytes, and which of `r`, `w`, `rw` and
   * `x`).
   */
  readonly event: string;
  /** Nanoseconds or events between samples; give this or `frequency`. */
  readonly period?: number;
  /** Samples a second; give this or `period`. */
  readonly frequency?: number;
  /** Only this process; every process when absent. */
  readonly pid?: number;
  /** Only this CPU; every CPU that is online when absent. */
  readonly cpu?: number;
}

/**
 * Everything that a program can be attached to. Each member has one key that no other has, by which it is told
 * apart: `"xdp" in target`.
 */
export type AttachTarget =
  | TracepointTarget
  | RawTracepointTarget
  | TpBtfTarget
  | PerfEventTarget
  | KprobeTarget
  | KretprobeTarget
  | KsyscallTarget
  | KretsyscallTarget
  | KprobeMultiTarget
  | UprobeTarget
  | UretprobeTarget
  | UprobeMultiTarget
  | UsdtTarget
  | FentryTarget
  | FexitTarget
  | FmodRetTarget
  | FreplaceTarget
  | LsmTarget
  | IteratorTarget
  | XdpTarget
  | TcxTarget
  | TcTarget
  | NetkitTarget
  | NetnsTarget
  | NetfilterTarget
  | CgroupTarget
  | SocketFilterTarget
  | ReuseportTarget
  | SockmapTarget
  | StructOpsTarget;
