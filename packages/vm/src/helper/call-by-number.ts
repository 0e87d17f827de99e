// SPDX-License-Identifier: Apache-2.0

import { VmFault } from "../vm-fault.ts";
import type { Helper } from "./helper.ts";
import type { HelperImport } from "./helper-import.ts";

/** A helper that is called with registers as they are. */
export type RegisterCall = (number: bigint, ...registers: readonly bigint[]) => bigint;

/**
 * Calls helpers by a number that only the run knows (`callx` with the number of a helper): converts registers and result as
 * translated code does. Only helpers in JavaScript; others, and numbers of none, are a fault.
 */
export function callByNumber(
  helpers: ReadonlyMap<number, Helper>,
  importOf: (helper: Helper) => HelperImport,
): RegisterCall {
  const imports = new Map<Helper, HelperImport>();
  return (number, ...registers) => {
    const helper = helpers.get(Number(number));
    if (helper === undefined) throw new VmFault("call", `a call of 0x${number.toString(16)}, which is no function`);
    let imported = imports.get(helper);
    if (imported === undefined) {
      imported = importOf(helper);
      imports.set(helper, imported);
    }
    const args = helper.parameters.map((parameter, i) => {
      const register = registers[i] ?? 0n;
      if (parameter === "bigint") return register;
      if (parameter === "u32" || parameter === "i32") return Number(BigInt.asIntN(32, register));
      return Number(parameter === "i64" ? BigInt.asIntN(64, register) : BigInt.asUintN(64, register));
    });
    const result = (imported.function as (...args: (number | bigint)[]) => number | bigint | undefined)(...args);
    if (result === undefined) return 0n;
    if (typeof result === "bigint") return BigInt.asIntN(64, result);
    const whole = helper.result === "u32" ? result >>> 0 : Math.trunc(result);
    return BigInt.asIntN(64, BigInt(whole));
  };
}
