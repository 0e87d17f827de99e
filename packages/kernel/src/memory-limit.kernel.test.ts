// SPDX-License-Identifier: Apache-2.0

import { memoryLockLimit, NO_LIMIT, setMemoryLockLimit } from "@skep/linux";
import { describe, expect, it } from "vitest";
import { countsMemory, memoryLimitHint, removeMemoryLimit } from "./memory-limit.ts";

describe("the limit of locked memory", () => {
  it("matters to kernels before 5.11, unless they take the map without it", () => {
    const never = (): boolean => {
      throw new Error("a newer kernel needs no trial");
    };
    expect(countsMemory([5, 11, 0], never)).toBe(false);
    expect(countsMemory([6, 1, 0], never)).toBe(false);
    expect(countsMemory([5, 10, 200], () => true)).toBe(true);
    expect(countsMemory([4, 18, 0], () => false)).toBe(false);
  });

  it("is hinted at where it may be the cause", () => {
    const limit = (soft: bigint) => () => ({ soft, hard: NO_LIMIT });
    expect(memoryLimitHint([5, 10, 0], limit(65536n))).toContain("RLIMIT_MEMLOCK here, which is 65536 bytes");
    expect(memoryLimitHint([5, 10, 0], limit(NO_LIMIT))).toBeUndefined();
    expect(memoryLimitHint([5, 15, 0], limit(65536n))).toBeUndefined();
  });

  it("stays as it is on this kernel, which counts otherwise", () => {
    const before = memoryLockLimit();
    setMemoryLockLimit({ soft: 4096n, hard: before.hard });
    try {
      expect(removeMemoryLimit()).toBe(false);
      expect(memoryLockLimit()).toEqual({ soft: 4096n, hard: before.hard });
      expect(memoryLimitHint()).toBeUndefined();
    } finally {
      setMemoryLockLimit(before);
    }
  });
});
