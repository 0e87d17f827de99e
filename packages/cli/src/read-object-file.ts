// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { type CollectionSpec, parseObject, SkepError } from "@skep/ebpf";

/** Reads and parses an eBPF object file; errors begin with its path. */
export function readObjectFile(file: string): CollectionSpec {
  try {
    return parseObject(readFileSync(file));
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new SkepError("ERR_OBJECT", `${file}: ${cause.message}`, { cause });
  }
}
