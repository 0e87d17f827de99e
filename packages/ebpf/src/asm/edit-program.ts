// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { BtfKind } from "../btf/types.ts";
import type { ByteOrder } from "../cursor.ts";
import { InstructionClass, Opcode } from "../instruction.ts";
import type { ProgramSpec } from "../program-spec.ts";
import type { AssemblyInstruction } from "./assembly-instruction.ts";
import { decodeProgram } from "./decode-program.ts";
import { encodeProgram } from "./encode-program.ts";
import { ProgramEditor } from "./program-editor.ts";

/** How to take a program apart and put it together again. */
export interface EditOptions {
  /** Byte order of the instructions; that of `btf` unless given, and little without either. */
  readonly byteOrder?: ByteOrder;
  /** The object's types: functions get their names as labels. */
  readonly btf?: Btf | undefined;
  /**
   * Lets unconditional jumps that have become too long take 32 bits (`gotol`, version 4 of the instruction set, Linux
   * 6.6); else they are an error.
   */
  readonly longJumps?: boolean;
}

/**
 * A program with its instructions changed: `edit` changes them, and every table (maps, externs, CO-RE relocations,
 * functions, lines) follows. The spec that was given stays as it is.
 *
 * Throws InvalidValueError, naming the jump, when one does not reach its target any more, and MalformedError as
 * `decodeProgram` does.
 */
export function editProgram(
  spec: ProgramSpec,
  edit: (program: ProgramEditor) => void,
  options: EditOptions = {},
): ProgramSpec {
  const { btf, byteOrder = btf?.byteOrder ?? "little" } = options;
  const editor = new ProgramEditor(withFunctionNames(decodeProgram(spec, byteOrder), btf));
  edit(editor);
  const program = options.longJumps === true ? lengthenJumps(editor.instructions) : editor.instructions;
  const { labels: _, ...encoded } = encodeProgram(program, byteOrder);
  return { ...spec, ...encoded };
}

function withFunctionNames(program: readonly AssemblyInstruction[], btf: Btf | undefined): AssemblyInstruction[] {
  const names = new Set(program.flatMap(({ labels = [] }) => labels));
  return program.map((instruction) => {
    const { functionTypeId, labels = [] } = instruction;
    if (btf === undefined || functionTypeId === undefined || functionTypeId >= btf.typeCount) return instruction;
    const type = btf.typeById(functionTypeId);
    if (type.kind !== BtfKind.FUNC || type.name === "" || names.has(type.name)) return instruction;
    names.add(type.name);
    return { ...instruction, labels: [...labels, type.name] };
  });
}

/** `goto` and `gotol` take one slot both: no jump moves another target away. */
function lengthenJumps(program: readonly AssemblyInstruction[]): AssemblyInstruction[] {
  const slots = new Map<string, number>();
  const starts: number[] = [];
  let slot = 0;
  for (const { labels = [], opcode } of program) {
    for (const label of labels) slots.set(label, slot);
    starts.push(slot);
    slot += opcode === Opcode.LD_IMM64 ? 2 : 1;
  }
  return program.map((instruction, i) => {
    if (instruction.opcode !== InstructionClass.JMP || instruction.target === undefined) return instruction;
    const distance = (slots.get(instruction.target) ?? 0) - (starts[i] ?? 0) - 1;
    const near = distance >= -0x8000 && distance <= 0x7fff;
    return near ? instruction : { ...instruction, opcode: InstructionClass.JMP32, offset: 0 };
  });
}
