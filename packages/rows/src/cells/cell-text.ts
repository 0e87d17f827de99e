// SPDX-License-Identifier: Apache-2.0

import { isAscii, isUtf8 } from "node:buffer";

/** A node Buffer over the same bytes. */
export function bufferOver(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * The text of `data[start .. end)` as every sink shows it: UTF-8, what is not UTF-8 replaced by U+FFFD, NUL
 * removed (PostgreSQL can store neither).
 */
export function textBetween(data: Uint8Array, start: number, end: number): string {
  const text = bufferOver(data).toString("utf8", start, end);
  return text.includes("\0") ? text.replaceAll("\0", "") : text;
}

/** Whether `data[start .. end)` is what {@link textBetween} gives, byte for byte. */
export function isCleanText(data: Uint8Array, start: number, end: number): boolean {
  const bytes = data.subarray(start, end);
  return !bytes.includes(0) && (isAscii(bytes) || isUtf8(bytes));
}

/** Whether every byte of `data[start .. end)` is ASCII: then any piece of it is valid UTF-8. */
export function isAsciiBetween(data: Uint8Array, start: number, end: number): boolean {
  return isAscii(data.subarray(start, end));
}

/**
 * The texts of a `texts` cell. Each ends with NUL; what follows the last NUL, in a list that was cut short, counts
 * as one more.
 */
export function textsBetween(data: Uint8Array, start: number, end: number): string[] {
  const texts: string[] = [];
  for (let at = start; at < end; ) {
    const next = textEnd(data, at, end);
    texts.push(textBetween(data, at, next));
    at = next + 1;
  }
  return texts;
}

/** Where the text that starts at `at` ends: at its NUL, or at `end` when it has none. */
export function textEnd(data: Uint8Array, at: number, end: number): number {
  let next = at;
  while (next < end && data[next] !== 0) next++;
  return next;
}
