// SPDX-License-Identifier: Apache-2.0

import type { FunctionInfo, LineInfo } from "@skep/ebpf";

/** `struct bpf_func_info`, 8 bytes a record, in the host's byte order. */
export function encodeFunctionInfo(records: readonly FunctionInfo[]): Uint8Array {
  const words = new Uint32Array(records.length * 2);
  for (const [i, { instruction, typeId }] of records.entries()) words.set([instruction, typeId], i * 2);
  return new Uint8Array(words.buffer);
}

/** `struct bpf_line_info`, 16 bytes a record, in the host's byte order. */
export function encodeLineInfo(records: readonly LineInfo[]): Uint8Array {
  const words = new Uint32Array(records.length * 4);
  for (const [i, { instruction, fileNameOffset, lineOffset, lineColumn }] of records.entries()) {
    words.set([instruction, fileNameOffset, lineOffset, lineColumn], i * 4);
  }
  return new Uint8Array(words.buffer);
}
