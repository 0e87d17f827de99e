// SPDX-License-Identifier: Apache-2.0

/** Input of BPF_PROG_RUN (BPF_PROG_TEST_RUN from 4.12 to 5.13). */
export interface RunOptions {
  /** A packet, for program types that take one; at least 14 bytes for those that begin at an Ethernet header. */
  readonly data?: Uint8Array;
  /** Bytes to keep for the packet as the program leaves it; its length and 256 bytes more unless given. */
  readonly dataOutSize?: number;
  /** The context structure, for program types that take one (5.2). */
  readonly context?: Uint8Array;
  /** Bytes to keep for the context as the program leaves it; 0 unless given. */
  readonly contextOutSize?: number;
  /** Times to run it; 1 unless given. Must be left out for types that run once: SYSCALL, raw tracepoint. */
  readonly repeat?: number;
  /** BPF_F_TEST_RUN_ON_CPU 1 (raw tracepoint, 5.10), BPF_F_TEST_XDP_LIVE_FRAMES 2 (5.18) and the like. */
  readonly flags?: number;
  /** The CPU to run on, with BPF_F_TEST_RUN_ON_CPU. */
  readonly cpu?: number;
  /** Frames in a batch, with BPF_F_TEST_XDP_LIVE_FRAMES. */
  readonly batchSize?: number;
}

/** Output of BPF_PROG_TEST_RUN. */
export interface RunResult {
  /** What the program returned, as an unsigned number. */
  readonly returned: number;
  /** Mean nanoseconds of a run. */
  readonly duration: number;
  /** The packet as the program left it; empty when none went in. */
  readonly data: Uint8Array;
  /** The context as the program left it; empty when none was asked for. */
  readonly context: Uint8Array;
}
