// SPDX-License-Identifier: Apache-2.0

import { helpersCode } from "../runtime/helpers-code.ts";
import type { RuntimeFunction } from "../runtime/runtime-function.ts";
import { storedFunction } from "../runtime/stored-function.ts";

/** The numbers of the helpers that `bpf/helpers.bpf.c` has. */
const numbers: ReadonlyMap<number, keyof typeof helpersCode> = new Map([
  [7, "get_prandom_u32"],
  [8, "get_smp_processor_id"],
] as const);

/** Helpers in C that are no map's, by number; made when they are first asked for. */
export function runtimeHelperFunctions(): ReadonlyMap<number, RuntimeFunction> {
  return new Map(Array.from(numbers, ([id, name]) => [id, storedFunction(name, helpersCode[name], undefined)]));
}
