// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { isSystemCallError, SystemCallError } from "./system-call-error.ts";

describe("a system call error", () => {
  it("names the object, the call and the errno", () => {
    const error = new SystemCallError({ syscall: "bpf(BPF_MAP_CREATE)", errno: 1, object: 'map "sessions"' });
    expect(error.message).toBe('map "sessions": bpf(BPF_MAP_CREATE) failed: EPERM (operation not permitted)');
    expect(error).toMatchObject({ code: "ERR_SYSTEM_CALL", errno: 1, errnoName: "EPERM" });
  });

  it("ends with a detail that was checked", () => {
    const error = new SystemCallError({ syscall: "mmap", errno: 22, detail: "the length is 0" });
    expect(error.message).toBe("mmap failed: EINVAL (invalid argument); the length is 0");
  });

  it("is told apart by the errno's name", () => {
    const error = new SystemCallError({ syscall: "mmap", errno: 22 });
    expect(isSystemCallError(error, "EINVAL", "EPERM")).toBe(true);
    expect(isSystemCallError(error, "EPERM")).toBe(false);
    expect(isSystemCallError(error)).toBe(true);
    expect(isSystemCallError(new Error("EINVAL"), "EINVAL")).toBe(false);
  });
});
