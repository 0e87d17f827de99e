// SPDX-License-Identifier: Apache-2.0

import type { Code } from "./code.ts";
import { CALL_INTRINSIC } from "./intrinsics.ts";
import { mapHelpers } from "./map-helpers.ts";
import { Opcode } from "./opcode.ts";
import type { TranslationUnit } from "./translation-unit.ts";

/** Numbers of the helpers that a program calls. */
export function* helperCalls({ validated: { code } }: TranslationUnit): Iterable<number> {
  for (let slot = 0; slot < code.length; slot++) {
    if (code.opcodes[slot] === Opcode.CALL && code.sources[slot] === 0) yield code.immediates[slot] as number;
    if (code.opcodes[slot] === Opcode.LD_IMM64) slot++;
  }
}

/** Whether a program calls anything that could move the bounds of its packet: all but operations of maps. */
export function movesPacket(unit: TranslationUnit): boolean {
  if (unit.hostFunctions.size > 0 || callsRegister(unit)) return true;
  return ![...helperCalls(unit)].every((id) => mapHelpers.has(id));
}

/** Whether a program calls what a register holds. */
export function callsRegister({ validated: { code } }: TranslationUnit): boolean {
  for (let slot = 0; slot < code.length; slot++) {
    if (code.opcodes[slot] === Opcode.CALLX) return true;
    if (code.opcodes[slot] === Opcode.LD_IMM64) slot++;
  }
  return false;
}

/** Whether a runtime function calls functions of the program, and so may take any time. */
export function callsBack(code: Code): boolean {
  for (let slot = 0; slot < code.length; slot++) {
    if (code.opcodes[slot] === Opcode.CALL && code.immediates[slot] === CALL_INTRINSIC) return true;
  }
  return false;
}
