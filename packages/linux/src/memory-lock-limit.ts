// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { systemCall } from "./system-call.ts";

const RLIMIT_MEMLOCK = 8;
const SELF = 0;
const object = "RLIMIT_MEMLOCK";

/** Every value of the two is bytes; all ones is no limit (RLIM_INFINITY). */
export interface MemoryLockLimit {
  /** What counts now. */
  readonly soft: bigint;
  /** As far as `soft` may be raised without CAP_SYS_RESOURCE. */
  readonly hard: bigint;
}

/** The value of a limit that limits nothing (RLIM_INFINITY). */
export const NO_LIMIT: bigint = 2n ** 64n - 1n;

/** How much memory this process may lock (prlimit(2), 2.6.36). */
export function memoryLockLimit(): MemoryLockLimit {
  const limit = new AttrBuffer(16);
  systemCall("prlimit64", object, SELF, RLIMIT_MEMLOCK, 0, limit.address);
  return { soft: limit.getBigint(0), hard: limit.getBigint(8) };
}

/** Sets it. EPERM when `hard` rises without CAP_SYS_RESOURCE. */
export function setMemoryLockLimit({ soft, hard }: MemoryLockLimit): void {
  const limit = new AttrBuffer(16).bigint(0, soft).bigint(8, hard);
  systemCall("prlimit64", object, SELF, RLIMIT_MEMLOCK, limit.address, 0);
}
