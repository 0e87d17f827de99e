// SPDX-License-Identifier: Apache-2.0

import type { ByteOrder } from "../cursor.ts";

const HOST_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const WORD = 4;

/**
 * Bytes as the 32-bit numbers that they hold; what is left over at the end is left out. Numbers of the host's order are
 * seen in place; others, and those that are not aligned, are copied.
 */
export function wordsOf(bytes: Uint8Array, byteOrder: ByteOrder): Uint32Array {
  const length = Math.floor(bytes.length / WORD);
  const native = (byteOrder === "little") === HOST_LITTLE;
  if (native && bytes.byteOffset % WORD === 0) return new Uint32Array(bytes.buffer, bytes.byteOffset, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length }, (_, i) => view.getUint32(i * WORD, byteOrder === "little"));
}
