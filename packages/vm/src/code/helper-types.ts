// SPDX-License-Identifier: Apache-2.0

import type { Helper, HelperParameter, HelperResult } from "../helper/helper.ts";
import { ValueType } from "../wasm/op.ts";

const { I32, I64, F64 } = ValueType;

/** Stands among the imports for the call of a helper by a number that only a run knows: the number, and r1 to r5. */
export const helperByNumber: Helper = {
  id: 0,
  name: "helper_by_number",
  parameters: [],
  result: "bigint",
  call: () => 0n,
};

/** WebAssembly types of a helper's parameters as a module passes them. */
export function parameterTypes(helper: Helper): number[] {
  return helper === helperByNumber ? Array<number>(6).fill(I64) : helper.parameters.map(parameterType);
}

function parameterType(parameter: HelperParameter): number {
  if (parameter === "u32" || parameter === "i32") return I32;
  return parameter === "bigint" ? I64 : F64;
}

/** What a helper's import leaves on the stack: at most one value. */
export function resultType(result: HelperResult): readonly number[] {
  switch (result) {
    case "void":
      return [];
    case "u32":
    case "i32":
      return [I32];
    case "bigint":
      return [I64];
    default:
      return [F64];
  }
}
