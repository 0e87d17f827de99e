// SPDX-License-Identifier: Apache-2.0

import { errnoName, errnoText } from "./errno.ts";

/** What a {@link SystemCallError} is about. */
export interface SystemCallFailure {
  /** The call as a person would write it: `mmap`, `bpf(BPF_MAP_CREATE)`. */
  readonly syscall: string;
  /** errno as the kernel returned it. */
  readonly errno: number;
  /** What the call worked on: `map "sessions"`. */
  readonly object?: string;
  /** A fact that was checked and bears on the failure; never a guess. */
  readonly detail?: string;
}

/**
 * A system call failed. The message reads `map "sessions": bpf(BPF_MAP_CREATE) failed: EPERM (operation not
 * permitted)`, with a checked detail after a semicolon when there is one.
 */
export class SystemCallError extends Error {
  /** Always `ERR_SYSTEM_CALL`; tell failures apart by {@link SystemCallError.errnoName}. */
  readonly code: string = "ERR_SYSTEM_CALL";
  /** The errno by name, such as `EEXIST`. */
  readonly errnoName: string;
  /** The errno as a positive number. */
  readonly errno: number;
  /** The call that failed. */
  readonly syscall: string;
  /** What it worked on, when that has a name. */
  readonly object: string | undefined;

  constructor(failure: SystemCallFailure, options?: ErrorOptions) {
    const name = errnoName(failure.errno);
    const text = errnoText(failure.errno);
    const object = failure.object === undefined ? "" : `${failure.object}: `;
    const detail = failure.detail === undefined ? "" : `; ${failure.detail}`;
    super(`${object}${failure.syscall} failed: ${name}${text === "" ? "" : ` (${text})`}${detail}`, options);
    this.name = "SystemCallError";
    this.errnoName = name;
    this.errno = failure.errno;
    this.syscall = failure.syscall;
    this.object = failure.object;
  }
}

/** Whether an error is a {@link SystemCallError} with one of these errno names. */
export function isSystemCallError(error: unknown, ...names: readonly string[]): error is SystemCallError {
  return error instanceof SystemCallError && (names.length === 0 || names.includes(error.errnoName));
}
