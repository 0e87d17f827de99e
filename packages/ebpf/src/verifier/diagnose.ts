// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { explainPoison } from "../core/extern-poison.ts";
import { POISON } from "../core/patch-instruction.ts";
import { disassembleInstruction } from "../disassemble/disassemble-instruction.ts";
import { functionOf, SourceLines } from "../disassemble/source-lines.ts";
import { type SourceLine, sourcePlace } from "../disassemble/source-place.ts";
import { INSTRUCTION_SIZE, Instructions } from "../instruction.ts";
import type { ProgramSpec } from "../program-spec.ts";
import { programTypeName } from "../program-type.ts";
import type { RegisterFinding, VerifierFinding } from "./finding.ts";
import { type Explanation, explainMessages } from "./known-messages.ts";
import { missingForRelocation } from "./missing-type.ts";
import { registerWords } from "./register-words.ts";
import { readVerifierLog, type VerifierLog } from "./verifier-log.ts";
import { verifierReason } from "./verifier-reason.ts";

/** What was loaded, as far as it is at hand: the more of it, the more a finding tells. */
export interface VerifiedProgram {
  readonly spec?: ProgramSpec | undefined;
  /** The instructions that the verifier was given; those of `spec` unless given. */
  readonly instructions?: Uint8Array | undefined;
  /** The object's types: the names of functions, and the lines of C. */
  readonly btf?: Btf | undefined;
  /** The kernel's types, to tell what of a CO-RE relocation is missing there. */
  readonly kernelTypes?: Btf | undefined;
}

/** Messages that name the instruction that they are about. */
const NAMED =
  /(?:infinite loop detected at insn|unreachable insn|back-edge from insn|jump out of range from insn) (\d+)/;

/**
 * What a verifier's log says about why it refused a program. Takes logs of any kernel; what the log and the program do
 * not say is left undefined.
 */
export function diagnoseVerifierLog(log: string, program: VerifiedProgram = {}): VerifierFinding {
  const read = readVerifierLog(log);
  const { spec, btf } = program;
  const instruction = instructionOf(read, program);
  const index = instruction?.index;
  const lines = spec === undefined || btf === undefined ? undefined : new SourceLines(spec.lineInfo, btf);
  const source = (index === undefined ? undefined : lines?.of(index)) ?? printedSource(read, index);
  const { messages, report } = read;
  const placeOf = (at: number): string => {
    const line = lines?.of(at);
    const place = line === undefined ? "" : sourcePlace({ ...line, column: undefined });
    return place === "" ? (read.texts.get(at) ?? `slot ${at}`) : place;
  };
  const context = {
    instruction: instruction?.text ?? "",
    programType: spec === undefined || spec.type === 0 ? undefined : programTypeName(spec.type),
    license: spec?.license,
    placeOf,
  };
  // What the loader has put in place of what is missing: the verifier's words say nothing about that.
  const poison =
    (index === undefined ? undefined : poisoned(index, program)) ??
    (spec === undefined ? undefined : explainPoison(messages.join("\n"), spec));
  const explained = poison ?? explainMessages(messages, context);
  return {
    reason: poison?.explanation ?? verifierReason(log),
    messages,
    instruction,
    source,
    function:
      (index === undefined || spec === undefined || btf === undefined
        ? undefined
        : functionOf(spec.functionInfo, btf, index)) ?? read.function,
    registers: registersOf(read, instruction),
    explanation: sentence(explained?.explanation ?? report?.reason),
    hint: sentence(explained?.hint ?? report?.suggestion),
    path: report?.path ?? [],
  };
}

/** As a sentence, of our words or of the verifier's. */
function sentence(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  const end = /[.;:!?…]$/.test(text) ? "" : ".";
  // Names at the start stay as they are written.
  return /^[a-z]+ /.test(text) ? `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${end}` : `${text}${end}`;
}

/** The instruction that the report or the message names, or else the last that was printed. */
function instructionOf(log: VerifierLog, program: VerifiedProgram): VerifierFinding["instruction"] {
  const named = log.report?.instruction ?? numberIn(NAMED.exec(log.messages.join("\n"))?.[1]);
  if (named === undefined) return log.instruction;
  const text = log.texts.get(named) ?? log.report?.text ?? disassembled(named, program);
  return text === undefined ? undefined : { index: named, text };
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function disassembled(index: number, program: VerifiedProgram): string | undefined {
  const code = codeOf(program);
  if (code === undefined || index >= code.length) return undefined;
  return disassembleInstruction(code, index, { functionAt: () => undefined, referenceAt: () => undefined });
}

function codeOf({ spec, instructions = spec?.instructions, btf }: VerifiedProgram): Instructions | undefined {
  if (instructions === undefined) return undefined;
  const whole = instructions.length - (instructions.length % INSTRUCTION_SIZE);
  return new Instructions(instructions.subarray(0, whole), btf?.byteOrder ?? "little");
}

/** The line of C that the log printed, when it belongs to the instruction at fault. */
function printedSource(log: VerifierLog, index: number | undefined): SourceLine | undefined {
  return index === log.instruction?.index ? log.source : undefined;
}

function registersOf(log: VerifierLog, instruction: VerifierFinding["instruction"]): RegisterFinding[] {
  // Known are the states before the last instruction that was printed, and of no other.
  if (instruction === undefined || instruction.index !== log.instruction?.index) return [];
  const named = new Set<number>();
  // What is only written to does not matter.
  const read = instruction.text.replace(/^[rw]\d+ = /, "");
  for (const text of [...log.messages, read]) {
    for (const [, number] of text.matchAll(/\b[rRw](10|\d)\b/g)) named.add(Number(number));
  }
  // A call reads its arguments, which matter when it is they that are wrong.
  const called = instruction.text.startsWith("call ") && !/func|helper/i.test(log.messages.join("\n"));
  if (named.size === 0 && called) for (let argument = 1; argument <= 5; argument++) named.add(argument);
  return [...named]
    .sort((a, b) => a - b)
    .flatMap((number) => {
      const state = log.registers.get(number);
      return state === undefined ? [] : [{ name: `r${number}`, state, words: registerWords(state) }];
    });
}

/** What a poisoned instruction asked of the kernel's types; undefined when the instruction is not poisoned. */
function poisoned(index: number, program: VerifiedProgram): Explanation | undefined {
  const code = codeOf(program);
  const relocation = program.spec?.coreRelocations.find(({ instruction }) => instruction === index);
  if (code === undefined || program.btf === undefined || relocation === undefined || index >= code.length) {
    return undefined;
  }
  if (code.immediate(index) !== POISON) return undefined;
  return missingForRelocation(relocation, program.btf, program.kernelTypes);
}
