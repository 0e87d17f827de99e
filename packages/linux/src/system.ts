// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { release } from "node:os";

let page: number | undefined;

/** Bytes of a page of memory: 4096 on x86-64; 4096, 16384 or 65536 on arm64. */
export function pageSize(): number {
  page ??= readPageSize();
  return page;
}

function readPageSize(): number {
  // The auxiliary vector: pairs of machine words. AT_PAGESZ is 6.
  const words = readFileSync("/proc/self/auxv");
  for (let i = 0; i + 16 <= words.length; i += 16) {
    if (words.readBigUInt64LE(i) === 6n) return Number(words.readBigUInt64LE(i + 8));
  }
  throw new Error("/proc/self/auxv has no page size");
}

/** The running kernel's release as uname(2) gives it, such as `6.12.43+deb13-cloud-amd64`. */
export function kernelRelease(): string {
  return release();
}

/** The numbers that a kernel release begins with: `6.12.43+deb13` is [6, 12, 43]. A missing patch level is 0. */
export function kernelVersion(text: string = release()): readonly [number, number, number] {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  if (match === null) throw new Error(`kernel release "${text}" does not begin with a version`);
  return [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}
