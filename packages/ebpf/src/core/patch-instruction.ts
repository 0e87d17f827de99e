// SPDX-License-Identifier: Apache-2.0

import { BtfKind } from "../btf/types.ts";
import { InstructionClass, type Instructions, Opcode } from "../instruction.ts";
import type { RelocationValue } from "./relocation-value.ts";

/** The number that marks a poisoned instruction in the verifier's log: 195896080, "bad relo" to the eye. */
export const POISON = 0xbad2310;
/** The source operand is a register, not the immediate. */
const SOURCE_REGISTER = 0x08;
const SIZE_MASK = 0x18;
/** Size bits of the opcode, by bytes. */
const SIZE_BITS: ReadonlyMap<number, number> = new Map([
  [4, 0x00],
  [2, 0x08],
  [1, 0x10],
  [8, 0x18],
]);
const BYTES = [4, 2, 1, 8];

/**
 * Makes an instruction one that the verifier refuses, but only if it can be reached: code behind a check for
 * the field's existence stays loadable. `ld_imm64` becomes a write to r10, anything else a call of a helper
 * that does not exist.
 */
export function poisonInstruction(code: Instructions, slot: number): void {
  if (code.opcode(slot) === Opcode.LD_IMM64) {
    code.setRegisters(slot, 10, 0);
    code.setImmediate64(slot, BigInt(POISON));
    return;
  }
  code.setOpcode(slot, Opcode.CALL);
  code.setRegisters(slot, 0, 0);
  code.setOffset(slot, 0);
  code.setImmediate(slot, POISON);
}

/**
 * Writes a relocation's value into its instruction: the immediate of arithmetic and of `ld_imm64`, the offset of
 * loads and stores, whose width follows the field's. Returns what is wrong when the instruction is not one that
 * can hold it, and undefined when all is well (bpf_core_patch_insn, tools/lib/bpf/relo_core.c).
 */
export function patchInstruction(
  code: Instructions,
  slot: number,
  local: RelocationValue,
  target: RelocationValue,
): string | undefined {
  const opcode = code.opcode(slot);
  switch (opcode & 0x07) {
    case InstructionClass.ALU:
    case InstructionClass.ALU64: {
      if ((opcode & SOURCE_REGISTER) !== 0) return "arithmetic on a register has no immediate to change";
      const found = code.immediate(slot);
      if (local.exact && BigInt.asIntN(32, local.value) !== BigInt(found))
        return mismatch("immediate", found, local.value);
      const fits = BigInt.asIntN(32, target.value) === BigInt.asIntN(64, target.value) || target.value <= 0xffff_ffffn;
      if (!fits) return `${target.value} does not fit in 32 bits`;
      code.setImmediate(slot, Number(BigInt.asIntN(32, target.value)));
      return undefined;
    }
    case InstructionClass.LDX:
    case InstructionClass.ST:
    case InstructionClass.STX:
      return patchAccess(code, slot, local, target);
    case InstructionClass.LD: {
      if (opcode !== Opcode.LD_IMM64 || slot + 1 >= code.length || code.source(slot) !== 0) {
        return "it is neither a plain ld_imm64, a load, a store nor arithmetic";
      }
      const found = code.immediate64(slot);
      if (local.exact && found !== local.value) return mismatch("immediate", found, local.value);
      code.setImmediate64(slot, target.value);
      return undefined;
    }
    default:
      return "it is neither ld_imm64, a load, a store nor arithmetic";
  }
}

function patchAccess(
  code: Instructions,
  slot: number,
  local: RelocationValue,
  target: RelocationValue,
): string | undefined {
  const found = code.offset(slot);
  if (local.exact && local.value !== BigInt(found)) return mismatch("offset", found, local.value);
  if (target.value > 0x7fffn) return `offset ${target.value} does not fit in 16 bits`;
  if (local.field !== undefined && target.field !== undefined && local.field.size !== target.field.size) {
    if (!widthMayChange(local, target)) {
      poisonInstruction(code, slot);
      return undefined;
    }
    const opcode = code.opcode(slot);
    const width = BYTES[(opcode & SIZE_MASK) >> 3];
    const bits = SIZE_BITS.get(target.field.size);
    if (width !== local.field.size) return `it accesses ${width} bytes, the field has ${local.field.size}`;
    if (bits === undefined) return `the field has ${target.field.size} bytes here, which one access cannot take`;
    code.setOpcode(slot, (opcode & ~SIZE_MASK) | bits);
  }
  code.setOffset(slot, Number(target.value));
  return undefined;
}

/** Zero extension keeps pointers and unsigned integers right at any width; signed ones and structs it would change. */
function widthMayChange(local: RelocationValue, target: RelocationValue): boolean {
  const a = local.field?.type;
  const b = target.field?.type;
  if (a?.kind === BtfKind.PTR && b?.kind === BtfKind.PTR) return true;
  return a?.kind === BtfKind.INT && b?.kind === BtfKind.INT && !a.signed && !b.signed;
}

function mismatch(what: string, found: number | bigint, expected: bigint): string {
  return `its ${what} is ${found}, the object's types say ${expected}`;
}
