// SPDX-License-Identifier: Apache-2.0

/**
 * What the verifier writes down: `branches` the path that it took last, instruction by instruction, with the registers
 * that changed; `instructions` all paths, with the registers before each instruction; `statistics` how much it had to do.
 */
export type VerifierLogPart = "branches" | "instructions" | "statistics";

/** Parts of the log, or `off`: none, and no second attempt that would tell why a program was refused. */
export type VerifierLogLevel = "off" | readonly VerifierLogPart[];

/** `BPF_LOG_LEVEL1`, `BPF_LOG_LEVEL2`, `BPF_LOG_STATS` (include/linux/bpf_verifier.h). */
const BITS: Readonly<Record<VerifierLogPart, number>> = { branches: 1, instructions: 2, statistics: 4 };

/** `log_level` of BPF_PROG_LOAD. */
export function logLevelBits(level: VerifierLogLevel): number {
  return level === "off" ? 0 : level.reduce((bits, part) => bits | BITS[part], 0);
}
