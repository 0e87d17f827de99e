// SPDX-License-Identifier: Apache-2.0

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { SkepError } from "@skep/ebpf";

/** Largest eBPF object that is read, in bytes: a hundred times the largest that people ship. */
export const MAX_OBJECT_BYTES: number = 64 * 2 ** 20;

/** What is read at once beyond the size that a file said it has. */
const PIECE = 64 * 1024;

/**
 * Reads a whole regular file without ever waiting for one: a pipe without a writer would hold the process for ever,
 * a device may have no end.
 *
 * @throws `SkepError` with code `ERR_FILE`. Its message says what is wrong, but not with which file: callers
 * say what the file is to them.
 */
export function readBoundedFile(path: string, maxBytes: number): Buffer<ArrayBuffer> {
  const fd = open(path);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new SkepError("ERR_FILE", `it is a ${kindOf(stats)}, wanted a regular file`);
    if (stats.size > maxBytes) throw tooLarge(`${stats.size} bytes`, maxBytes);
    // Files under /proc say 0, and any file may grow: only the end of the file is its end.
    const chunks: Buffer[] = [];
    let length = 0;
    let chunk = Buffer.allocUnsafe(Math.min(stats.size, maxBytes) + 1);
    for (;;) {
      const count = readSync(fd, chunk);
      if (count === 0) return Buffer.concat(chunks, length);
      length += count;
      if (length > maxBytes) throw tooLarge("larger", maxBytes);
      chunks.push(chunk.subarray(0, count));
      chunk = Buffer.allocUnsafe(PIECE);
    }
  } catch (cause) {
    throw withoutPath(cause);
  } finally {
    closeSync(fd);
  }
}

function open(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (cause) {
    throw withoutPath(cause);
  }
}

function tooLarge(found: string, maxBytes: number): SkepError {
  return new SkepError("ERR_FILE", `it is ${found}, wanted at most ${maxBytes} bytes`);
}

function kindOf(stats: ReturnType<typeof fstatSync>): string {
  if (stats.isDirectory()) return "folder";
  if (stats.isFIFO()) return "pipe";
  return stats.isCharacterDevice() || stats.isBlockDevice() ? "device" : "special file";
}

/** Node ends its messages with the call and the path: `ENOENT: no such file or directory, open '/x'`. */
function withoutPath(cause: unknown): unknown {
  if (!(cause instanceof Error) || !("syscall" in cause)) return cause;
  return new SkepError("ERR_FILE", cause.message.replace(/, \w+(?: '.*')?$/s, ""), { cause });
}
