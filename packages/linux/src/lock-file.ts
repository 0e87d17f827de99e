// SPDX-License-Identifier: Apache-2.0

import { closeSync, openSync } from "node:fs";
import { systemCall } from "./system-call.ts";
import { isSystemCallError } from "./system-call-error.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;

/** A held lock; closing it gives the lock up. The kernel does so too when this process ends, however it ends. */
export interface FileLock extends Disposable {
  close(): void;
}

/**
 * Takes an exclusive lock on a file (flock(2)), which is made with mode 0600 when absent and left in place.
 * Returns undefined when another process, or this one, holds the lock. Throws when the file cannot be opened.
 */
export function lockFile(path: string): FileLock | undefined {
  let fd = openSync(path, "a", 0o600);
  const close = (): void => {
    if (fd === -1) return;
    closeSync(fd);
    fd = -1;
  };
  try {
    systemCall("flock", path, fd, LOCK_EX | LOCK_NB);
  } catch (error) {
    close();
    if (isSystemCallError(error, "EAGAIN")) return undefined;
    throw error;
  }
  return { close, [Symbol.dispose]: close };
}
