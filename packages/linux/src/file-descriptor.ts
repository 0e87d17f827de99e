// SPDX-License-Identifier: Apache-2.0

import { systemCall } from "./system-call.ts";

const F_DUPFD_CLOEXEC = 1030;

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

  /** A second descriptor of the same open file, closed on exec. */
  duplicate(): FileDescriptor {
    return new FileDescriptor(systemCall("fcntl", "file descriptor", this.#number, F_DUPFD_CLOEXEC, 0));
  }

  /** Closes the descriptor. A second call does nothing. */
  close(): void {
    if (this.#number === -1) return;
    const number = this.#number;
    this.#number = -1;
    systemCall("close", `file descriptor ${number}`, number);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
