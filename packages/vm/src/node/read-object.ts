// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type CollectionSpec, parseObject, SkepError } from "@skep/ebpf";

/** Reads and parses an eBPF object. Throws SkepError `ERR_OBJECT` with the path for what cannot be read or parsed. */
export function readObject(file: string | URL): CollectionSpec {
  const path = file instanceof URL ? fileURLToPath(file) : file;
  try {
    return parseObject(readFileSync(path));
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new SkepError("ERR_OBJECT", `${path}: ${cause.message}`, { cause });
  }
}
