// SPDX-License-Identifier: Apache-2.0

import type { RunOptions, RunResult } from "@skep/ebpf";
import type { ContextValues } from "../context/context-values.ts";
import type { CloneRecord, RedirectRecord } from "./redirect-record.ts";
import type { MessageState, TunnelState } from "./run-extras.ts";

/** Input of a run: that of BPF_PROG_RUN, and what only this engine takes. */
export interface VmRunOptions extends Omit<RunOptions, "context"> {
  /**
   * Bytes, which must be as BPF_PROG_RUN wants them; or fields by their names, which may be any that the program can read but
   * for what the packet tells.
   */
  readonly context?: Uint8Array | ContextValues;
  /** Bytes between `data_meta` and `data`; XDP, SCHED_CLS and SCHED_ACT. A multiple of 4. */
  readonly metadata?: Uint8Array;
  /** The tunnel that the packet came by (`bpf_skb_get_tunnel_key`). */
  readonly tunnel?: TunnelState;
}

/** Output of a run: that of BPF_PROG_RUN, and what the program did besides. */
export interface VmRunResult extends RunResult {
  /** What the program may read of its context, afterwards; only when the context was given by names. */
  readonly values?: Readonly<Record<string, number | bigint | number[]>>;
  /** Where it sent the packet, when it did so last before it ended; whether that counts is for its return code to say. */
  readonly redirect?: RedirectRecord;
  /** What `bpf_clone_redirect` sent, in order; absent when nothing. */
  readonly clones?: readonly CloneRecord[];
  /** Address of the socket that `bpf_sk_assign` chose. */
  readonly socket?: number;
  /** The tunnel that the packet has; absent when none. */
  readonly tunnel?: TunnelState;
  /** What was said of a message; absent when nothing. */
  readonly message?: MessageState;
}
