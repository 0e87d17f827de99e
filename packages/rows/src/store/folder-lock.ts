// SPDX-License-Identifier: Apache-2.0

import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { StoreInUseError } from "../errors.ts";

/**
 * Makes this process the only owner of a data folder, until it disposes of the lock or ends. The file holds the
 * owner's process id and what it is running.
 *
 * On Linux the lock is the kernel's (flock), which ends with the process; elsewhere the file itself is the lock, and
 * one left by a process that is gone is taken over.
 *
 * @param owner - what the owner calls itself, such as `skep up`
 * @throws {@link StoreInUseError} naming the owner
 */
export async function lockFolder(folder: string, path: string, owner: string): Promise<Disposable> {
  if (process.platform !== "linux") return lockByFile(folder, path, owner);
  const { lockFile } = await import("@skep/linux");
  const lock = lockFile(path);
  if (lock === undefined) throw inUse(folder, path);
  try {
    writeFileSync(path, `${process.pid}\n${owner}\n`, { mode: 0o600 });
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
  return lock;
}

function lockByFile(folder: string, path: string, owner: string): Disposable {
  for (;;) {
    try {
      const fd = openSync(path, "wx", 0o600);
      writeSync(fd, `${process.pid}\n${owner}\n`);
      closeSync(fd);
      return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const holder = inUse(folder, path);
      if (holder.processId === undefined || isRunning(holder.processId)) throw holder;
      rmSync(path, { force: true });
    }
  }
}

function inUse(folder: string, path: string): StoreInUseError {
  const [pid = "", owner] = readFileSync(path, "utf8").split("\n");
  return new StoreInUseError(folder, /^\d+$/.test(pid) ? Number(pid) : undefined, owner);
}

/** Whether a process exists, ours or not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
