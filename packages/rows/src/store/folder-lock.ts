// SPDX-License-Identifier: Apache-2.0

import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { addressOf, isSupported, isSystemCallError, systemCall } from "@skep/linux";
import { StoreError, StoreInUseError } from "../errors.ts";

// include/uapi/asm-generic/fcntl.h: locks of an open file, which end when its last descriptor is closed.
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_WRLCK = 1;
const F_UNLCK = 2;

/** Neither follows a link nor waits for whoever writes a pipe. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The file in a data folder that the lock is on: the owner's process id and what it is running, a line each. */
export const LOCK_NAME = "lock";

/**
 * Makes this process the only owner of a data folder, until it disposes of the lock or ends, however it ends. A
 * second lock in the same process is refused too.
 *
 * On Linux the lock is the kernel's (an open file description lock, Linux 3.15); elsewhere the file itself is the
 * lock, and one left by a process that is gone is taken over.
 *
 * @param data - the folder; it must be there
 * @param owner - what the owner calls itself, such as `skep up`
 * @throws {@link StoreInUseError} naming the owner's process and command
 * @throws {@link StoreError} when the file cannot be made
 */
export function lockDataFolder(data: string, owner: string): Disposable {
  const path = join(data, LOCK_NAME);
  try {
    return isSupported() ? lockByKernel(data, path, owner) : lockByFile(data, path, owner);
  } catch (cause) {
    if (cause instanceof StoreInUseError) throw cause;
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError(`data folder ${data} cannot be locked: ${found}`, { cause });
  }
}

/**
 * Who owns a data folder; undefined when nobody does, or there is no such folder. On Linux it asks the kernel and
 * takes no lock, so that an owner that starts at this moment is not turned away.
 *
 * @returns `pid` is undefined when the owner has not written it down yet
 * @throws {@link StoreError} when the lock's file cannot be read
 */
export function isDataFolderInUse(data: string): { pid: number | undefined } | undefined {
  const path = join(data, LOCK_NAME);
  try {
    const { pid } = readHolder(path);
    if (isSupported() ? !isLocked(path) : pid === undefined) return undefined;
    return { pid };
  } catch (cause) {
    if (isErrno(cause, "ENOENT") || isErrno(cause, "ENOTDIR")) return undefined;
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError(`cannot tell whether data folder ${data} is in use: ${found}`, { cause });
  }
}

function lockByKernel(data: string, path: string, owner: string): Disposable {
  for (;;) {
    let fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    const close = (): void => {
      if (fd !== -1) closeSync(fd);
      fd = -1;
    };
    try {
      controlLock(F_OFD_SETLK, path, fd);
      // Whoever removes a store removes this file while holding its lock: a lock on that is worth nothing.
      if (fstatSync(fd).ino !== statSync(path, { throwIfNoEntry: false })?.ino) {
        close();
        continue;
      }
      ftruncateSync(fd);
      writeSync(fd, contents(owner), 0);
      return { [Symbol.dispose]: close };
    } catch (error) {
      close();
      if (isSystemCallError(error, "EAGAIN")) throw inUse(data, path);
      throw error;
    }
  }
}

function lockByFile(data: string, path: string, owner: string): Disposable {
  for (;;) {
    try {
      const fd = openSync(path, "wx", 0o600);
      writeSync(fd, contents(owner));
      closeSync(fd);
      return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
      // One that is still empty is being written.
      const { text, pid } = readHolder(path);
      if (text === "" || pid !== undefined) throw inUse(data, path);
      rmSync(path, { force: true });
    }
  }
}

function isLocked(path: string): boolean {
  const fd = openSync(path, READ);
  try {
    return controlLock(F_OFD_GETLK, path, fd) !== F_UNLCK;
  } finally {
    closeSync(fd);
  }
}

/** Takes or asks for the lock of a whole file. Returns the kind that it found. */
function controlLock(command: number, path: string, fd: number): number {
  // struct flock: l_type and l_whence of 2 bytes each, l_start and l_len of 8 at 8 and 16, l_pid of 4 at 24; 32 in all.
  const lock = new Int16Array(16);
  lock[0] = F_WRLCK;
  systemCall("fcntl", path, fd, command, addressOf(lock));
  return lock[0];
}

function contents(owner: string): string {
  return `${process.pid}\n${owner}\n`;
}

function inUse(data: string, path: string): StoreInUseError {
  const { pid, owner } = readHolder(path);
  return new StoreInUseError(data, pid, owner);
}

/** The lock's file, and what its owner wrote down there; not that of an owner before it, which has ended. */
function readHolder(path: string): { text: string; pid: number | undefined; owner: string | undefined } {
  const fd = openSync(path, READ);
  try {
    const text = readFileSync(fd, "utf8");
    const [pid = "", owner] = text.split("\n");
    const isCurrent = /^[1-9]\d*$/.test(pid) && isRunning(Number(pid));
    return { text, pid: isCurrent ? Number(pid) : undefined, owner: isCurrent ? owner : undefined };
  } finally {
    closeSync(fd);
  }
}

/** Whether a process exists, ours or not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, "EPERM");
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
