// SPDX-License-Identifier: Apache-2.0

import { ClosedError } from "./closed-error.ts";
import { ffi } from "./ffi.ts";
import { systemCall, systemCallNumber } from "./system-call.ts";
import { SystemCallError } from "./system-call-error.ts";

const F_DUPFD_CLOEXEC = 1030;
const EBADF = 9;

/**
 * A file descriptor with one owner. After `close()` its number is -1, so that a late system call gets EBADF
 * and never reaches a stranger's file that was given the same number.
 */
export class FileDescriptor implements Disposable {
  #number: number;

  /** Takes over a descriptor; the caller must not close it any more. */
  constructor(number: number) {
    this.#number = number;
  }

  /** The descriptor's number, -1 once closed. */
  get number(): number {
    return this.#number;
  }

  /** A second descriptor of the same open file, closed on exec. Throws ClosedError. */
  duplicate(): FileDescriptor {
    return new FileDescriptor(systemCall("fcntl", "file descriptor", this.open("file descriptor"), F_DUPFD_CLOEXEC, 0));
  }

  /**
   * Closes the descriptor. A second call does nothing. Throws only when somebody else has closed it (EBADF): whatever else
   * close(2) reports, on Linux the descriptor is gone, and another file may have its number.
   */
  close(): void {
    if (this.#number === -1) return;
    const number = this.#number;
    this.#number = -1;
    const { syscall, errno } = ffi();
    if (syscall(systemCallNumber("close"), number, 0, 0, 0, 0, 0) !== -1 || errno() !== EBADF) return;
    throw new SystemCallError({ syscall: "close", errno: EBADF, object: `file descriptor ${number}` });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The number, for a system call on it. Throws ClosedError, which names the `object`. */
  protected open(object: string): number {
    if (this.#number === -1) throw new ClosedError(object);
    return this.#number;
  }
}
