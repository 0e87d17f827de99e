// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";

/** The bytes of an object of the engine suite, `test-objects/NAME.bpf.o`, read anew with each call. */
export function suiteObject(name: string): Uint8Array {
  return readFileSync(new URL(`../test-objects/${name}.bpf.o`, import.meta.url));
}
