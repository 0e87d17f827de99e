// SPDX-License-Identifier: Apache-2.0

import { type CollectionSpec, parseObject, SkepError } from "@skep/ebpf";
import { MAX_OBJECT_BYTES, readBoundedFile } from "@skep/workload";

/** Reads and parses an eBPF object file; errors begin with its path. */
export function readObjectFile(file: string): CollectionSpec {
  const bytes = readObjectBytes(file);
  return naming(file, () => parseObject(bytes));
}

/** Reads an eBPF object file; errors begin with its path. */
export function readObjectBytes(file: string): Uint8Array<ArrayBuffer> {
  return naming(file, () => readBoundedFile(file, MAX_OBJECT_BYTES));
}

function naming<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new SkepError("ERR_OBJECT", `${file}: ${cause.message}`, { cause });
  }
}
