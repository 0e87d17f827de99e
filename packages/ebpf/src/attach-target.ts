// SPDX-License-Identifier: Apache-2.0

/** `tracepoint` in `category:name` form, as under tracefs' `events/`. Linux 4.7, by bpf_link 5.15. */
export interface TracepointTarget {
  readonly tracepoint: string;
  /** Value that the program gets from bpf_get_attach_cookie (5.15). */
  readonly cookie?: bigint;
}

/** Raw tracepoint by name: `sched_process_exec`. Linux 4.17. */
export interface RawTracepointTarget {
  readonly rawTracepoint: string;
}

/** BTF-typed raw tracepoint by name. The program was loaded for that tracepoint. Linux 5.5. */
export interface TpBtfTarget {
  readonly tpBtf: string;
}

/** A perf event that runs the program on each overflow. Linux 4.9, by bpf_link 5.15. */
export interface PerfEventTarget {
  readonly perfEvent: PerfEventSource;
  readonly cookie?: bigint;
}

/** Which perf event, and how often. */
export interface PerfEventSource {
  /** `software:cpu-clock`, `software:task-clock`, `hardware:cpu-cycles`, … as in perf_event_open(2). */
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

/** Everything that a program can be attached to. */
export type AttachTarget = TracepointTarget | RawTracepointTarget | TpBtfTarget | PerfEventTarget;
