// SPDX-License-Identifier: Apache-2.0

/** A flag of the TCP header (RFC 9293 3.1); `ece` and `cwr` of RFC 3168, `ae` of RFC 9768, once NS. */
export type TcpFlag = "ack" | "ae" | "cwr" | "ece" | "fin" | "psh" | "rst" | "syn" | "urg";

/** From the lowest bit up. */
const FLAGS: readonly TcpFlag[] = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ae"];

/** The 9 bits of a set of flags. */
export function tcpFlagBits(flags: readonly TcpFlag[]): number {
  return flags.reduce((bits, flag) => bits | (1 << FLAGS.indexOf(flag)), 0);
}

/** The flags that are set, from the lowest bit up: `fin` first, `ae` last. */
export function tcpFlagsOf(bits: number): TcpFlag[] {
  return FLAGS.filter((_, bit) => (bits & (1 << bit)) !== 0);
}
