// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "./btf/btf.ts";
import { BtfKind } from "./btf/types.ts";
import type { ByteOrder } from "./cursor.ts";
import { disassembleInstruction, type Names } from "./disassemble/disassemble-instruction.ts";
import { SourceLines } from "./disassemble/source-lines.ts";
import { type SourceLine, sourcePlace } from "./disassemble/source-place.ts";
import { INSTRUCTION_SIZE, Instructions, Opcode, PseudoCall, PseudoLoad } from "./instruction.ts";
import type { MapReference, ProgramSpec } from "./program-spec.ts";

/** How to write a program down. */
export interface DisassembleOptions {
  /** Byte order of the instructions; that of `btf` unless given, and little without either. */
  readonly byteOrder?: ByteOrder;
  /** The object's types, or those that a loaded program came with: name the subprograms, and give the lines. */
  readonly btf?: Btf | undefined;
  /** Puts the line of C before the instructions made from it, when `btf` has them; true unless given. */
  readonly lines?: boolean;
  /** What a call at a slot leads to, where that is known better than from the instruction. */
  readonly callAt?: (slot: number) => string | undefined;
}

/** What can be written down of a program. */
export type DisassembledProgram = Pick<
  ProgramSpec,
  "name" | "instructions" | "mapReferences" | "functionInfo" | "lineInfo"
>;

/** An instruction as text. */
export interface DisassembledInstruction {
  /** Where it begins, counted in 8-byte slots. */
  readonly slot: number;
  readonly opcode: number;
  /** As the kernel's verifier writes it. */
  readonly text: string;
  /** The function that begins here. */
  readonly symbol: string | undefined;
  /** The line of C that begins here; of several instructions the first has it. */
  readonly source: SourceLine | undefined;
}

/**
 * A program in the notation of the kernel's verifier, one line an instruction: its slot, its opcode and what
 * it does. Functions begin with their name and a colon.
 *
 * ```text
 * on_exec:
 *    ; if (pid == 0) @ exec.bpf.c:41
 *    0: (79) r1 = *(u64 *)(r6 +8)
 * ```
 *
 * Takes any bytes: what is not an instruction is shown as invalid, an incomplete last one is left out.
 */
export function disassemble(program: DisassembledProgram, options: DisassembleOptions = {}): string {
  const output: string[] = [];
  let last: string | undefined;
  for (const { slot, opcode, text, symbol, source } of disassembleInstructions(program, options)) {
    if (symbol !== undefined) {
      output.push(`${onOneLine(symbol)}:`);
      last = undefined;
    }
    const comment =
      source === undefined ? undefined : `${source.text} @ ${sourcePlace({ ...source, column: undefined })}`;
    if (comment !== undefined && comment !== last) {
      output.push(`     ; ${onOneLine(comment)}`);
      last = comment;
    }
    output.push(`${String(slot).padStart(4)}: (${opcode.toString(16).padStart(2, "0")}) ${onOneLine(text)}`);
  }
  return output.length === 0 ? "" : `${output.join("\n")}\n`;
}

/** As {@link disassemble}, instruction by instruction. */
export function disassembleInstructions(
  program: DisassembledProgram,
  options: DisassembleOptions = {},
): DisassembledInstruction[] {
  const whole = Math.floor(program.instructions.length / INSTRUCTION_SIZE) * INSTRUCTION_SIZE;
  const code = new Instructions(
    program.instructions.subarray(0, whole),
    options.byteOrder ?? options.btf?.byteOrder ?? "little",
  );
  const labels = findLabels(program, code, options.btf);
  const references = new Map(program.mapReferences.map((reference) => [reference.instruction, show(reference)]));
  const names: Names = {
    functionAt: (slot) => labels.get(slot),
    referenceAt: (slot) => references.get(slot),
  };
  const lines =
    options.lines === false || options.btf === undefined
      ? undefined
      : new SourceLines(program.lineInfo, options.btf).beginnings();
  const output: DisassembledInstruction[] = [];
  for (let slot = 0; slot < code.length; slot++) {
    const opcode = code.opcode(slot);
    const call = opcode === Opcode.CALL ? options.callAt?.(slot) : undefined;
    const text = call === undefined ? disassembleInstruction(code, slot, names) : `call ${call}`;
    output.push({ slot, opcode, text, symbol: labels.get(slot), source: lines?.get(slot) });
    if (opcode === Opcode.LD_IMM64) slot++;
  }
  return output;
}

/** Names and lines come from the object: a line break in one would pass for an instruction. */
function onOneLine(text: string): string {
  return text.replace(/[\n\r\u2028\u2029]/g, "\ufffd");
}

/** Where functions begin: by func_info, or else where calls and function addresses lead. */
function findLabels(
  program: Pick<ProgramSpec, "name" | "functionInfo">,
  code: Instructions,
  btf: Btf | undefined,
): Map<number, string> {
  const labels = new Map<number, string>([[0, program.name]]);
  for (let slot = 0; slot < code.length; slot++) {
    const opcode = code.opcode(slot);
    const called =
      (opcode === Opcode.CALL && code.source(slot) === PseudoCall.FUNCTION) ||
      (opcode === Opcode.LD_IMM64 && code.source(slot) === PseudoLoad.FUNC);
    const target = slot + 1 + code.immediate(slot);
    if (called && target > 0 && target < code.length && !labels.has(target)) labels.set(target, `subprog_${target}`);
    if (opcode === Opcode.LD_IMM64) slot++;
  }
  for (const { instruction, typeId } of btf === undefined ? [] : program.functionInfo) {
    if (btf === undefined || instruction === 0 || typeId >= btf.typeCount) continue;
    const type = btf.typeById(typeId);
    if (type.kind === BtfKind.FUNC && type.name !== "") labels.set(instruction, type.name);
  }
  return labels;
}

/** As `bpftool prog dump xlated` does: `map[events]`, and `map[.rodata][0]+16` for a byte of its value. */
function show(reference: MapReference): string {
  return reference.valueOffset === undefined
    ? `map[${reference.map}]`
    : `map[${reference.map}][0]+${reference.valueOffset}`;
}
