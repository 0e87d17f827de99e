// SPDX-License-Identifier: Apache-2.0

import type { ByteOrder } from "../cursor.ts";
import { InvalidValueError } from "../errors.ts";
import { INSTRUCTION_SIZE, InstructionClass, Instructions, Opcode, PseudoCall, PseudoLoad } from "../instruction.ts";
import type {
  CoreRelocation,
  ExternReference,
  FunctionInfo,
  LineInfo,
  MapReference,
  ProgramSpec,
} from "../program-spec.ts";
import type { AssemblyInstruction } from "./assembly-instruction.ts";

/** A program as bytes, with what a loader needs beside them; the parts of a {@link ProgramSpec}. */
export interface EncodedProgram
  extends Pick<
    ProgramSpec,
    "instructions" | "mapReferences" | "externReferences" | "coreRelocations" | "functionInfo" | "lineInfo"
  > {
  /** The slot of each label. */
  readonly labels: ReadonlyMap<string, number>;
}

const GOTO_LONG = InstructionClass.JMP32;

/**
 * Turns instructions into bytes: puts in where labels are, and gathers what is known about each instruction by its
 * slot. Throws InvalidValueError for labels that are not there or there twice, and for numbers that do not fit.
 */
export function encodeProgram(
  program: readonly AssemblyInstruction[],
  byteOrder: ByteOrder = "little",
): EncodedProgram {
  const labels = new Map<string, number>();
  let slots = 0;
  for (const instruction of program) {
    for (const label of instruction.labels ?? []) {
      if (labels.has(label)) throw new InvalidValueError(`label "${label}" is there twice`);
      labels.set(label, slots);
    }
    slots += instruction.opcode === Opcode.LD_IMM64 ? 2 : 1;
  }
  const code = new Instructions(new Uint8Array(slots * INSTRUCTION_SIZE), byteOrder);
  const mapReferences: MapReference[] = [];
  const externReferences: ExternReference[] = [];
  const coreRelocations: CoreRelocation[] = [];
  const functionInfo: FunctionInfo[] = [];
  const lineInfo: LineInfo[] = [];
  let slot = 0;
  for (const instruction of program) {
    encode(code, slot, instruction, labels);
    const { map, extern, core, line, functionTypeId } = instruction;
    if (map !== undefined) mapReferences.push({ ...map, instruction: slot });
    if (extern !== undefined) externReferences.push({ instruction: slot, name: extern });
    if (core !== undefined) coreRelocations.push({ ...core, instruction: slot });
    if (line !== undefined) lineInfo.push({ ...line, instruction: slot });
    if (functionTypeId !== undefined) functionInfo.push({ instruction: slot, typeId: functionTypeId });
    slot += instruction.opcode === Opcode.LD_IMM64 ? 2 : 1;
  }
  return { instructions: code.bytes, labels, mapReferences, externReferences, coreRelocations, functionInfo, lineInfo };
}

function encode(
  code: Instructions,
  slot: number,
  instruction: AssemblyInstruction,
  labels: ReadonlyMap<string, number>,
): void {
  const { opcode, destination = 0, target, map } = instruction;
  let { offset = 0, immediate = 0 } = instruction;
  let meaning = instruction.source ?? 0;
  if (meaning === 0) meaning = meaningOf(instruction);
  if (target !== undefined) {
    const place = labels.get(target);
    if (place === undefined) throw new InvalidValueError(`instruction ${slot}: there is no label "${target}"`);
    if (opcode === Opcode.CALL || opcode === Opcode.LD_IMM64 || opcode === GOTO_LONG) immediate = place - slot - 1;
    else offset = place - slot - 1;
    requireRange(slot, `jump to "${target}", offset`, offset, -0x8000, 0x7fff);
  }
  if (map !== undefined) meaning = map.valueOffset === undefined ? PseudoLoad.MAP_FD : PseudoLoad.MAP_VALUE;
  requireRange(slot, "opcode", opcode, 0, 0xff);
  requireRange(slot, "register", destination, 0, 15);
  requireRange(slot, "register", meaning, 0, 15);
  requireRange(slot, "offset", offset, -0x8000, 0x7fff);
  if (typeof immediate === "number") requireRange(slot, "immediate", immediate, -(2 ** 63), 2 ** 64);
  code.setOpcode(slot, opcode);
  code.setRegisters(slot, destination, meaning);
  code.setOffset(slot, offset);
  if (opcode !== Opcode.LD_IMM64) {
    code.setImmediate(slot, narrow(slot, immediate));
  } else if (map !== undefined) {
    // The loader writes the map's descriptor into the first half.
    code.setImmediate(slot + 1, map.valueOffset ?? 0);
  } else if (meaning === PseudoLoad.FUNC) {
    code.setImmediate(slot, narrow(slot, immediate));
  } else {
    requireRange(slot, "immediate", BigInt(immediate), -(2n ** 63n), 2n ** 64n - 1n);
    code.setImmediate64(slot, BigInt(immediate));
  }
}

/** What the source of a call or an `ld_imm64` says of its immediate, for those that do not give it. */
function meaningOf({ opcode, target, extern }: AssemblyInstruction): number {
  if (target !== undefined && opcode === Opcode.CALL) return PseudoCall.FUNCTION;
  if (target !== undefined && opcode === Opcode.LD_IMM64) return PseudoLoad.FUNC;
  return extern !== undefined && opcode === Opcode.CALL ? PseudoCall.KFUNC : 0;
}

/** 32 bits with or without sign, or 64 bits that are the sign's extension of 32. */
function narrow(slot: number, immediate: number | bigint): number {
  const value = BigInt(immediate);
  const low = BigInt.asIntN(32, value);
  if (BigInt.asUintN(64, low) !== BigInt.asUintN(64, value) || value >= 2n ** 64n) {
    requireRange(slot, "immediate", value, -(2n ** 31n), 2n ** 32n - 1n);
  }
  return Number(low);
}

function requireRange<T extends number | bigint>(slot: number, what: string, value: T, least: T, most: T): void {
  const whole = typeof value === "bigint" || Number.isInteger(value);
  if (whole && value >= least && value <= most) return;
  throw new InvalidValueError(`instruction ${slot}: ${what} ${value} does not fit, wanted ${least} to ${most}`);
}
