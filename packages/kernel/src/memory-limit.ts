// SPDX-License-Identifier: Apache-2.0

import { MapType } from "@skep/ebpf";
import {
  createMap,
  isSystemCallError,
  kernelVersion,
  type MemoryLockLimit,
  memoryLockLimit,
  NO_LIMIT,
  setMemoryLockLimit,
} from "@skep/linux";

/** Kernels from this one on count BPF memory against the memory cgroup instead. */
const SINCE_CGROUPS: readonly [number, number] = [5, 11];

let counted: boolean | undefined;

/**
 * Raises RLIMIT_MEMLOCK as far as this process may, where the kernel counts the memory of maps and programs against it:
 * before 5.11, unless a distribution brought the newer accounting to an older kernel. There alone; whether it did.
 * Raising the hard limit needs CAP_SYS_RESOURCE: without, the soft limit goes up to it.
 */
export function removeMemoryLimit(): boolean {
  counted ??= countsMemory(kernelVersion(), refusesWithoutLimit);
  if (!counted) return false;
  const limit = memoryLockLimit();
  if (limit.soft === NO_LIMIT) return false;
  try {
    setMemoryLockLimit({ soft: NO_LIMIT, hard: NO_LIMIT });
  } catch (error) {
    if (!isSystemCallError(error, "EPERM")) throw error;
    if (limit.soft === limit.hard) return false;
    setMemoryLockLimit({ soft: limit.hard, hard: limit.hard });
  }
  return true;
}

/**
 * Whether a kernel counts BPF memory against RLIMIT_MEMLOCK. The version decides from 5.11 on; before, `refuses` tells what
 * became of a map made under a limit of nothing.
 */
export function countsMemory([major, minor]: readonly number[], refuses: () => boolean): boolean {
  const [sinceMajor, sinceMinor] = SINCE_CGROUPS;
  if ((major ?? 0) > sinceMajor || (major === sinceMajor && (minor ?? 0) >= sinceMinor)) return false;
  return refuses();
}

/** What to say of an EPERM that no capability explains; undefined where the limit cannot be the cause. */
export function memoryLimitHint(
  version: readonly number[] = kernelVersion(),
  limit: () => MemoryLockLimit = memoryLockLimit,
): string | undefined {
  if (!countsMemory(version, () => true)) return undefined;
  const { soft } = limit();
  if (soft === NO_LIMIT) return undefined;
  return `BPF memory may count against RLIMIT_MEMLOCK here, which is ${soft} bytes: removeMemoryLimit() raises it`;
}

/** Makes a map while nothing may be locked; the limit is back when this returns. */
function refusesWithoutLimit(): boolean {
  const { soft, hard } = memoryLockLimit();
  setMemoryLockLimit({ soft: 0n, hard });
  try {
    createMap({ type: MapType.ARRAY, keySize: 4, valueSize: 4, maxEntries: 1 }).close();
    return false;
  } catch (error) {
    if (isSystemCallError(error, "EPERM")) return true;
    throw error;
  } finally {
    setMemoryLockLimit({ soft, hard });
  }
}
