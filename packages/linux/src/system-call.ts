// SPDX-License-Identifier: Apache-2.0

import { ffi } from "./ffi.ts";
import { SystemCallError } from "./system-call-error.ts";

/** A system call that Skep makes, by the kernel's name. */
export type SystemCallName =
  | "read"
  | "write"
  | "close"
  | "mmap"
  | "munmap"
  | "ioctl"
  | "fcntl"
  | "clock_gettime"
  | "epoll_ctl"
  | "epoll_pwait"
  | "eventfd2"
  | "epoll_create1"
  | "perf_event_open"
  | "bpf"
  | "socket"
  | "setsockopt"
  | "setns"
  | "pidfd_open"
  | "fsopen"
  | "fsconfig"
  | "fsmount"
  | "prlimit64"
  | "pidfd_getfd";

// arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h (arm64).
const numbers: Readonly<Record<SystemCallName, readonly [x64: number, arm64: number]>> = {
  read: [0, 63],
  write: [1, 64],
  close: [3, 57],
  mmap: [9, 222],
  munmap: [11, 215],
  ioctl: [16, 29],
  socket: [41, 198],
  setsockopt: [54, 208],
  fcntl: [72, 25],
  clock_gettime: [228, 113],
  epoll_ctl: [233, 21],
  epoll_pwait: [281, 22],
  eventfd2: [290, 19],
  epoll_create1: [291, 20],
  perf_event_open: [298, 241],
  prlimit64: [302, 261],
  bpf: [321, 280],
  setns: [308, 268],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  pidfd_open: [434, 434],
  pidfd_getfd: [438, 438],
};

/** The number of a system call on this machine's architecture (x86-64 or arm64). */
export function systemCallNumber(name: SystemCallName): number {
  return numbers[name][process.arch === "arm64" ? 1 : 0];
}

/**
 * Makes a system call and returns its result. EINTR is retried. Throws {@link SystemCallError} with the
 * object's name in front.
 */
export function systemCall(
  name: SystemCallName,
  object: string | undefined,
  a = 0,
  b = 0,
  c = 0,
  d = 0,
  e = 0,
  f = 0,
): number {
  const { syscall, errno } = ffi();
  const number = systemCallNumber(name);
  for (;;) {
    const result = syscall(number, a, b, c, d, e, f);
    if (result !== -1) return result;
    const error = errno();
    if (error !== EINTR) throw new SystemCallError({ syscall: name, errno: error, ...(object && { object }) });
  }
}

const EINTR = 4;
