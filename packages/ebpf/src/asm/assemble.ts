// SPDX-License-Identifier: Apache-2.0

import type { ByteOrder } from "../cursor.ts";
import { InvalidValueError } from "../errors.ts";
import { Opcode } from "../instruction.ts";
import type { AssemblyInstruction } from "./assembly-instruction.ts";
import { type EncodedProgram, encodeProgram } from "./encode-program.ts";
import { assembleLine } from "./mnemonics.ts";

/**
 * Assembles eBPF in the notation of the BPF conformance suite, up to version 4 of the instruction set:
 *
 * ```text
 * entry:
 *   lddw %r1, map[events]        # a map; map[.rodata][0]+16 is a byte of its value
 *   ldxw %r2, [%r1+8]
 *   jeq32 %r2, 0x10, done        # a label, or +slots
 *   lock fetch add [%r10-8], %r2
 *   call bpf_ktime_get_ns        # or a helper's number; `call local name`, `call kfunc 1234`, `call %r2`
 * done:
 *   exit
 * ```
 *
 * Beyond that notation: `ja32` (gotol), `may_goto`, `addr_space_cast`, `ldabsw`, `ldindw`, `ldacqw`, `strelw`, and the
 * address of a function by `lddw %r1, name`. Comments begin with `#`, `;` or `//`. A jump to `exit` without such a
 * label leads to the next `exit` instruction, or to the last before it.
 *
 * Throws InvalidValueError with the line's number.
 */
export function assemble(text: string, byteOrder: ByteOrder = "little"): EncodedProgram {
  return encodeProgram(parseAssembly(text), byteOrder);
}

/** As {@link assemble}, before the bytes: to be edited, or put together with other instructions. */
export function parseAssembly(text: string): AssemblyInstruction[] {
  const program: AssemblyInstruction[] = [];
  let labels: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    try {
      const { labels: more, words, operands } = splitLine(line);
      labels.push(...more);
      if (words.length === 0) continue;
      const instruction = assembleLine(words, operands);
      program.push(labels.length === 0 ? instruction : { ...instruction, labels });
      labels = [];
    } catch (cause) {
      if (!(cause instanceof InvalidValueError)) throw cause;
      throw new InvalidValueError(`line ${index + 1}: ${cause.message}`, { cause });
    }
  }
  if (labels.length > 0) throw new InvalidValueError(`label "${labels[0]}" stands before no instruction`);
  return resolveExits(program);
}

function splitLine(line: string): { labels: string[]; words: string[]; operands: string[] } {
  let rest = line.replace(/(#|;|\/\/).*$/, "").trim();
  const labels: string[] = [];
  for (let match = LABEL.exec(rest); match !== null; match = LABEL.exec(rest)) {
    labels.push(match[1] ?? "");
    rest = rest.slice(match[0].length);
  }
  if (rest === "") return { labels, words: [], operands: [] };
  const parts = rest.match(PART) ?? [];
  const mnemonic = parts[0] ?? "";
  // The words of a call and of an atomic operation come before its operands.
  const count = mnemonic === "call" ? parts.length : mnemonic === "lock" ? (parts[1] === "fetch" ? 3 : 2) : 1;
  return { labels, words: parts.slice(0, count), operands: parts.slice(count) };
}

/** What is between commas and blanks, but for those within brackets. */
const PART = /(?:\[[^\]]*\]|[^\s,[])+/g;
const LABEL = /^([A-Za-z_.$][\w.$]*):\s*/;

/** Gives the `exit` that a jump to it means a label. */
function resolveExits(program: readonly AssemblyInstruction[]): AssemblyInstruction[] {
  if (program.some(({ labels }) => labels?.includes("exit"))) return [...program];
  const named = new Map<number, string>();
  const resolved = program.map((instruction, at) => {
    if (instruction.target !== "exit") return instruction;
    const isExit = ({ opcode }: AssemblyInstruction): boolean => opcode === Opcode.EXIT;
    const after = program.findIndex((candidate, i) => i > at && isExit(candidate));
    const exit = after === -1 ? program.findLastIndex(isExit) : after;
    if (exit === -1) return instruction;
    const target = `exit.${exit}`;
    named.set(exit, target);
    return { ...instruction, target };
  });
  return resolved.map((instruction, at) => {
    const name = named.get(at);
    return name === undefined ? instruction : { ...instruction, labels: [...(instruction.labels ?? []), name] };
  });
}
