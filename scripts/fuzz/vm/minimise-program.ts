// SPDX-License-Identifier: Apache-2.0

import type { AssemblyInstruction } from "@skep/ebpf";
import type { FuzzProgram } from "./generate-program.ts";

/**
 * Takes instructions out of a program for as long as `fails` holds of what is left, in ever smaller pieces. What fills
 * registers and the stack stays: without it a program may read what was left there, which differs for no fault of an
 * engine.
 */
export function minimiseProgram(program: FuzzProgram, fails: (program: FuzzProgram) => boolean): FuzzProgram {
  let best = program;
  for (let size = Math.ceil(program.code.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.code.length; ) {
      const candidate = without(best, at, at + size);
      if (candidate !== undefined && fails(candidate)) best = candidate;
      else at += size;
    }
  }
  return best;
}

/**
 * The program but for a range; labels go to the next instruction, and functions go on where they began. Undefined when
 * there would be no next one, and when all of them stay.
 */
function without(program: FuzzProgram, from: number, to: number): FuzzProgram | undefined {
  const code: AssemblyInstruction[] = [];
  const fixed: boolean[] = [];
  let labels: string[] = [];
  let functionTypeId: number | undefined;
  for (const [i, instruction] of program.code.entries()) {
    const stays = program.fixed[i] ?? false;
    if (i >= from && i < to && !stays) {
      labels.push(...(instruction.labels ?? []));
      functionTypeId ??= instruction.functionTypeId;
      continue;
    }
    const moved = { ...instruction };
    if (labels.length > 0) Object.assign(moved, { labels: [...labels, ...(instruction.labels ?? [])] });
    if (functionTypeId !== undefined) Object.assign(moved, { functionTypeId });
    code.push(moved);
    fixed.push(stays);
    labels = [];
    functionTypeId = undefined;
  }
  if (labels.length > 0 || code.length === program.code.length) return undefined;
  return { ...program, code, fixed, runs: [] };
}
