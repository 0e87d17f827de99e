// SPDX-License-Identifier: Apache-2.0

import { type Btf, BtfBuilder, BtfKind, readBtf } from "@skep/ebpf";

const INT = 1;
const PROTO = 2;
/** The FUNC of the program itself. */
export const MAIN_TYPE = 3;
/** The FUNC of the first function that it calls; those of the next come behind. */
export const FUNCTION_TYPES = 4;
const FUNCTION_COUNT = 4;

/** The types that every program comes with: callbacks must be known to be static functions. */
export function fuzzTypes(): Btf {
  const builder = new BtfBuilder();
  builder.add({
    ...{ kind: BtfKind.INT, name: "int", size: 4, bits: 32, bitOffset: 0, signed: true, char: false, bool: false },
  });
  builder.add({ kind: BtfKind.FUNC_PROTO, name: "", returns: INT, parameters: [] });
  for (const name of ["main", ...Array.from({ length: FUNCTION_COUNT }, (_, i) => `f${i + 1}`)]) {
    builder.add({ kind: BtfKind.FUNC, name, type: PROTO, linkage: "static" });
  }
  return readBtf(builder.build());
}
