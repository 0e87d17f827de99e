// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { InvalidValueError, linkObjects } from "@skep/ebpf";
import { readObjectBytes } from "../read-object-file.ts";

/**
 * `skep bpf join OUT FILE...`: links eBPF objects into one, statically, as `bpftool gen object` does. What cannot be
 * linked leaves `OUT` as it was.
 */
export function bpfJoin(out: string, files: readonly string[]): void {
  if (files.some((file) => resolve(file) === resolve(out))) {
    throw new InvalidValueError(`${out} is where the result goes and one of the objects; the result comes first`);
  }
  writeFileSync(out, linkObjects(files.map((name) => ({ name, bytes: readObjectBytes(name) }))));
}
