// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";

// include/uapi/linux/capability.h, in the order of their bits.
const names = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
] as const;

/** A capability by name (capabilities(7)). */
export type CapabilityName = (typeof names)[number];

/**
 * The capabilities in a mask as /proc writes it, such as `000001ffffffffff`. Bits newer than the table are left
 * out.
 */
export function parseCapabilities(hex: string): Set<CapabilityName> {
  const mask = BigInt(`0x${hex}`);
  return new Set(names.filter((_, bit) => (mask >> BigInt(bit)) & 1n));
}

/** The effective capabilities of this process (`CapEff` of /proc/self/status). */
export function processCapabilities(): Set<CapabilityName> {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
  if (mask === undefined) throw new Error("/proc/self/status has no CapEff line");
  return parseCapabilities(mask);
}

/** The effective user id, which capabilities and file owners are judged by. */
export function effectiveUserId(): number {
  return process.geteuid?.() ?? -1;
}
