// SPDX-License-Identifier: Apache-2.0

import { helperName, helperVersion, InvalidValueError, ProgramType, programTypeName } from "@skep/ebpf";
import { attemptProgram } from "./attempts.ts";
import { type FeatureSupport, judge, limitedVerifier, remembered } from "./feature-support.ts";
import { haveProgramType, programRecipe } from "./program-features.ts";

/** The number of the last helper function: the list is closed, newer functions are kfuncs. */
export const LAST_HELPER = 211;

/** Types whose helpers depend on what the single program attaches to. */
const dependent: readonly ProgramType[] = [
  ProgramType.TRACING,
  ProgramType.STRUCT_OPS,
  ProgramType.EXT,
  ProgramType.LSM,
];

/** What the verifier writes about a call of a function that it does not have, or not for this type; by age, newest first. */
const refusals = ["program of this type cannot use helper", "invalid func ", "unknown func "];

/**
 * Whether programs of a type may call a helper, given by number or by name (`get_current_comm`, with or without `bpf_`),
 * by what the verifier says about a program that calls it without arguments. `unknown` for TRACING, STRUCT_OPS, EXT
 * and LSM, where it depends on the target. To ask for `trace_printk` or `trace_vprintk` makes the kernel switch the trace log
 * on, and for `probe_write_user` on older kernels warn in its log. Throws InvalidValueError for a name that no helper has.
 */
export function haveProgramHelper(type: ProgramType, helper: number | string): FeatureSupport {
  const id = typeof helper === "number" ? helper : helperNumber(helper);
  if (dependent.includes(type)) {
    const reason = `the helpers of ${programTypeName(type)} programs depend on what each attaches to`;
    return { state: "unknown", reason };
  }
  return remembered(`helper ${id} of program type ${type}`, () => {
    const ofType = haveProgramType(type);
    if (ofType.state !== "yes") return ofType;
    const attempt = attemptProgram({ ...programRecipe(type), instructions: callOf(id) });
    const refusal = attempt.log.split("\n").find((line) => refusals.some((start) => line.startsWith(start)));
    if (refusal !== undefined) {
      const limited = limitedVerifier();
      if (limited !== undefined) return { state: "unknown", reason: `${refusal}; ${limited}` };
      return { state: "no", minimumVersion: helperVersion(id), reason: refusal };
    }
    // Any other complaint is about the arguments, which comes after the function was found.
    return attempt.log === "" ? judge(attempt, helperVersion(id)) : { state: "yes" };
  });
}

/** `call id; exit` */
function callOf(id: number): Uint8Array {
  const bytes = Uint8Array.of(0x85, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
  new DataView(bytes.buffer).setInt32(4, id, true);
  return bytes;
}

function helperNumber(name: string): number {
  const wanted = name.replace(/^bpf_/, "");
  for (let id = 1; id <= LAST_HELPER; id++) if (helperName(id) === wanted) return id;
  throw new InvalidValueError(`no helper function is called "${name}"`);
}
