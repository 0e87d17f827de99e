// SPDX-License-Identifier: Apache-2.0

import type { ByteOrder } from "../cursor.ts";
import { MalformedError } from "../errors.ts";
import { INSTRUCTION_SIZE, InstructionClass, Instructions, Opcode, PseudoCall, PseudoLoad } from "../instruction.ts";
import type { ProgramSpec } from "../program-spec.ts";
import type { AssemblyInstruction } from "./assembly-instruction.ts";

type Parts = Pick<
  ProgramSpec,
  "instructions" | "mapReferences" | "externReferences" | "coreRelocations" | "functionInfo" | "lineInfo"
>;

/**
 * Takes a program apart into instructions that can be edited; `encodeProgram` puts them together again, to the same
 * bytes when nothing was changed. Places that jumps and calls lead to get labels `L` and their slot.
 *
 * Throws MalformedError when the bytes are no whole instructions, when a jump leads to no instruction, and when what is
 * known of an instruction is about none.
 */
export function decodeProgram(program: Parts, byteOrder: ByteOrder = "little"): AssemblyInstruction[] {
  const place = "program";
  if (program.instructions.length % INSTRUCTION_SIZE !== 0) {
    throw new MalformedError(place, undefined, `${program.instructions.length} bytes are no whole instructions`);
  }
  const code = new Instructions(program.instructions, byteOrder);
  const starts = new Set<number>();
  const targets = new Map<number, number>();
  for (let slot = 0; slot < code.length; slot += code.opcode(slot) === Opcode.LD_IMM64 ? 2 : 1) {
    if (code.opcode(slot) === Opcode.LD_IMM64 && slot + 1 >= code.length) {
      throw new MalformedError(place, slot * INSTRUCTION_SIZE, "the second half of ld_imm64 is missing");
    }
    starts.add(slot);
    const distance = distanceOf(code, slot);
    if (distance !== undefined) targets.set(slot, slot + 1 + distance);
  }
  const labelled = new Set(targets.values());
  for (const [slot, target] of targets) {
    if (starts.has(target)) continue;
    throw new MalformedError(place, slot * INSTRUCTION_SIZE, `it leads to slot ${target}, where no instruction begins`);
  }
  const known = [
    ...[program.mapReferences, program.externReferences ?? [], program.coreRelocations],
    ...[program.functionInfo, program.lineInfo],
  ].flat();
  for (const { instruction } of known) {
    if (starts.has(instruction)) continue;
    throw new MalformedError(
      place,
      instruction * INSTRUCTION_SIZE,
      `something is known of slot ${instruction}, where no instruction begins`,
    );
  }
  const maps = new Map(program.mapReferences.map(({ instruction, ...map }) => [instruction, map]));
  const externs = new Map(program.externReferences.map(({ instruction, name }) => [instruction, name]));
  const core = new Map(program.coreRelocations.map(({ instruction, ...relocation }) => [instruction, relocation]));
  const lines = new Map(program.lineInfo.map(({ instruction, ...line }) => [instruction, line]));
  const functions = new Map(program.functionInfo.map(({ instruction, typeId }) => [instruction, typeId]));
  return [...starts].map((slot): AssemblyInstruction => {
    const opcode = code.opcode(slot);
    const target = targets.get(slot);
    const wide = opcode === Opcode.LD_IMM64 && code.source(slot) !== PseudoLoad.FUNC;
    return {
      opcode,
      destination: code.destination(slot),
      source: code.source(slot),
      offset: code.offset(slot),
      immediate: wide ? code.immediate64(slot) : code.immediate(slot),
      ...(labelled.has(slot) ? { labels: [`L${slot}`] } : {}),
      ...optional("target", target === undefined ? undefined : `L${target}`),
      ...optional("map", maps.get(slot)),
      ...optional("extern", externs.get(slot)),
      ...optional("core", core.get(slot)),
      ...optional("line", lines.get(slot)),
      ...optional("functionTypeId", functions.get(slot)),
    };
  });
}

/** Slots from the next instruction to where one leads: of jumps, calls of functions and addresses of functions. */
function distanceOf(code: Instructions, slot: number): number | undefined {
  const opcode = code.opcode(slot);
  if (opcode === Opcode.CALL) return code.source(slot) === PseudoCall.FUNCTION ? code.immediate(slot) : undefined;
  if (opcode === Opcode.LD_IMM64) return code.source(slot) === PseudoLoad.FUNC ? code.immediate(slot) : undefined;
  const kind = opcode & 0x07;
  if ((kind !== InstructionClass.JMP && kind !== InstructionClass.JMP32) || opcode === Opcode.EXIT) return undefined;
  // An indirect call has neither.
  if (opcode >> 4 === 8) return undefined;
  return opcode === InstructionClass.JMP32 ? code.immediate(slot) : code.offset(slot);
}

function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}
