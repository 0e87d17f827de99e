// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, NotFoundError, Verdict, type VerdictName, verdictName, verdictNames } from "@skep/ebpf";
import { type AnyResult, inputLine, programOf, runOf } from "./describe-run.ts";
import type { Judgement } from "./matchers.ts";

/**
 * Whether a program said what it should. Throws InvalidValueError for a verdict that programs of its type do not have, which
 * would be a mistake in the test.
 */
export function judgeVerdict(received: unknown, wanted: VerdictName | number): Judgement {
  const result = runOf(received);
  const number = typeof wanted === "number" ? wanted : numberOf(result, wanted);
  const pass = result.returned === number >>> 0;
  const name = typeof wanted === "number" ? nameOf(result, wanted) : wanted;
  return {
    pass,
    message: `${programOf(result)} said ${nameOf(result, result.returned)}, wanted is ${name}${inputLine(result)}`,
    unwanted: `${programOf(result)} said ${name}, which it should not${inputLine(result)}`,
  };
}

function numberOf({ program }: AnyResult, name: VerdictName): number {
  const number: number | undefined = Verdict[name];
  if (number === undefined) throw new NotFoundError("verdict", name, Object.keys(Verdict));
  if (program === undefined) return number;
  const names = verdictNames(program.type);
  // Names of tcx and netkit are others for those of tc.
  const alias = /^(TCX|NETKIT)_/.test(name) && names.includes("TC_ACT_OK");
  if (alias || names.includes(name)) return number;
  const has = names.length === 0 ? "has numbers alone" : `has ${names.join(", ")}`;
  throw new InvalidValueError(
    `${name} is no verdict of program "${program.name}", whose section "${program.section}" ${has}`,
  );
}

function nameOf({ program }: AnyResult, returned: number): string {
  const name = program === undefined ? String(returned >>> 0) : verdictName(program.type, returned);
  return name === String(returned >>> 0) ? name : `${name} (${returned | 0})`;
}
