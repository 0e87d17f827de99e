// SPDX-License-Identifier: Apache-2.0

import type { Code } from "./code.ts";
import { InvalidProgramError } from "./invalid-program-error.ts";
import { AtomicOperation, Class, FROM_REGISTER, Jump, Mode, Opcode, Size, sizeOf } from "./opcode.ts";

/** Slots of a stack frame's bytes (`MAX_BPF_STACK`). */
export const STACK_SIZE = 512;
/** Functions that may be in progress at once by calls whose target is known (`MAX_CALL_FRAMES`). */
export const MAX_CALL_DEPTH = 8;
/** Slots of a program (`BPF_COMPLEXITY_LIMIT_INSNS`). */
export const MAX_INSTRUCTIONS = 1_000_000;

/** A function of a program: slots `start` to `end`, exclusive. */
export interface CodeFunction {
  readonly start: number;
  readonly end: number;
  /** Whether its address is taken: it may be a callback, or called through a register. */
  readonly addressTaken: boolean;
}

/** A program that keeps the rules. */
export interface ValidatedCode {
  readonly code: Code;
  /** By start; the first is the entry. */
  readonly functions: readonly CodeFunction[];
}

/** What calls may lead to. */
export interface CallRules {
  /** Whether a program may call the helper of this number; else why not. */
  readonly helperProblem: (id: number) => string | undefined;
  /** Whether r6 may be the context of a packet, for `ldabs` and `ldind`. */
  readonly packets: boolean;
  /** The same for a kernel function, by the slot of its call. */
  readonly functionProblem: (slot: number) => string | undefined;
}

/**
 * Checks what must hold before anything is translated: opcodes, registers, reserved fields, jump targets, the bounds of
 * functions and the depth of their calls, accesses relative to r10, numbers of helpers (RFC 9669; kernel/bpf/verifier.c says
 * the same of its own). Throws {@link InvalidProgramError}.
 */
export function validate(program: string, code: Code, rules: CallRules): ValidatedCode {
  const refuse = (slot: number, problem: string): never => {
    throw new InvalidProgramError(program, slot, problem);
  };
  if (code.length === 0) refuse(0, "there are no instructions");
  if (code.length > MAX_INSTRUCTIONS) {
    refuse(MAX_INSTRUCTIONS, `there are ${code.length} instructions; ${MAX_INSTRUCTIONS} are the most`);
  }
  const { opcodes, sources, immediates, length } = code;
  for (let slot = 0; slot < length; slot++) {
    const problem = instructionProblem(code, slot) ?? callProblem(code, slot, rules);
    if (problem !== undefined) refuse(slot, problem);
    if (opcodes[slot] === Opcode.LD_IMM64) slot++;
  }
  // Second slots are no instructions: nothing may lead there.
  const starts = new Uint8Array(length);
  const taken = new Uint8Array(length);
  for (let slot = 0; slot < length; slot++) {
    starts[slot] = 1;
    if (opcodes[slot] === Opcode.LD_IMM64) slot++;
  }
  const functionStarts = new Set([0]);
  for (let slot = 0; slot < length; slot++) {
    if (!starts[slot]) continue;
    const address = opcodes[slot] === Opcode.LD_IMM64 && sources[slot] === PSEUDO_FUNCTION;
    if (!address && !(opcodes[slot] === Opcode.CALL && sources[slot] === PSEUDO_CALL)) continue;
    const target = slot + 1 + (immediates[slot] as number);
    if (!(target >= 0 && target < length && starts[target])) {
      refuse(slot, `it names a function at slot ${target}, where no instruction begins`);
    }
    functionStarts.add(target);
    if (address) taken[target] = 1;
  }
  const sorted = [...functionStarts].sort((a, b) => a - b);
  const functions = sorted.map((start, i) => ({
    start,
    end: sorted[i + 1] ?? length,
    addressTaken: taken[start] === 1,
  }));
  for (const { start, end } of functions) checkFunction(code, start, end, starts, refuse);
  checkDepth(code, functions, refuse);
  return { code, functions };
}

const PSEUDO_CALL = 1;
const PSEUDO_KFUNC = 2;
const PSEUDO_FUNCTION = 4;

type Refuse = (slot: number, problem: string) => never;

function checkFunction(code: Code, start: number, end: number, starts: Uint8Array, refuse: Refuse): void {
  let last = start;
  for (let slot = start; slot < end; slot++) {
    if (!starts[slot]) continue;
    last = slot;
    const target = jumpTarget(code, slot);
    if (target === undefined) continue;
    if (!(target >= start && target < end)) {
      refuse(slot, `it jumps to slot ${target}, out of its function, which has slots ${start} to ${end - 1}`);
    }
    if (!starts[target]) refuse(slot, `it jumps to slot ${target}, into the middle of an instruction`);
  }
  const opcode = code.opcodes[last];
  if (opcode !== Opcode.EXIT && opcode !== Opcode.JA && opcode !== Opcode.JA32) {
    refuse(last, "the function does not end here: its last instruction is neither exit nor a jump");
  }
}

/** Where a jump leads; undefined for what is no jump. */
export function jumpTarget(code: Code, slot: number): number | undefined {
  const opcode = code.opcodes[slot] as number;
  const kind = opcode & 7;
  if (kind !== Class.JMP && kind !== Class.JMP32) return undefined;
  const operation = opcode & 0xf0;
  if (operation === Jump.CALL || operation === Jump.EXIT) return undefined;
  return slot + 1 + ((opcode === Opcode.JA32 ? code.immediates[slot] : code.offsets[slot]) as number);
}

/** Functions in progress at once, over calls with known targets: at most 8, and none calls itself. */
function checkDepth(code: Code, functions: readonly CodeFunction[], refuse: Refuse): void {
  const index = new Map(functions.map(({ start }, i) => [start, i]));
  const calls = functions.map(({ start, end }) => {
    const found: { slot: number; callee: number }[] = [];
    for (let slot = start; slot < end; slot++) {
      if (code.opcodes[slot] !== Opcode.CALL || code.sources[slot] !== PSEUDO_CALL) continue;
      found.push({ slot, callee: index.get(slot + 1 + (code.immediates[slot] as number)) as number });
    }
    return found;
  });
  // Depth below each function, by an explicit stack: there may be many.
  const depth = new Int32Array(functions.length);
  const state = new Uint8Array(functions.length);
  for (let root = 0; root < functions.length; root++) {
    const stack = [{ at: root, next: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as { at: number; next: number };
      state[top.at] = state[top.at] === 2 ? 2 : 1;
      const call = state[top.at] === 2 ? undefined : calls[top.at]?.[top.next++];
      if (call === undefined) {
        if (state[top.at] !== 2) {
          depth[top.at] = 1 + Math.max(0, ...(calls[top.at] ?? []).map(({ callee }) => depth[callee] as number));
          state[top.at] = 2;
        }
        stack.pop();
        continue;
      }
      if (state[call.callee] === 1) refuse(call.slot, "the function that it calls is in progress: calls may not recur");
      if (state[call.callee] === 0) stack.push({ at: call.callee, next: 0 });
      if (stack.length > MAX_CALL_DEPTH) refuse(call.slot, `calls are more than ${MAX_CALL_DEPTH} deep`);
    }
    if ((depth[root] as number) > MAX_CALL_DEPTH) {
      refuse(functions[root]?.start ?? 0, `calls from here are ${depth[root]} deep; ${MAX_CALL_DEPTH} is the most`);
    }
  }
}

function callProblem(code: Code, slot: number, rules: CallRules): string | undefined {
  const opcode = code.opcodes[slot] as number;
  if ((opcode & 7) === Class.LD && opcode !== Opcode.LD_IMM64 && !rules.packets) {
    return "it loads from a packet, which this type of program has not";
  }
  if (opcode !== Opcode.CALL) return undefined;
  if (code.sources[slot] === 0) return rules.helperProblem(code.immediates[slot] as number);
  if (code.sources[slot] === PSEUDO_KFUNC) return rules.functionProblem(slot);
  return undefined;
}

/** What is wrong with an instruction by itself. */
function instructionProblem(code: Code, slot: number): string | undefined {
  const opcode = code.opcodes[slot] as number;
  const destination = code.destinations[slot] as number;
  const source = code.sources[slot] as number;
  if (destination > 10) return `there is no register r${destination}`;
  switch (opcode & 7) {
    case Class.ALU:
    case Class.ALU64:
      return aluProblem(code, slot, opcode, destination, source);
    case Class.JMP:
    case Class.JMP32:
      return jumpProblem(code, slot, opcode, destination, source);
    case Class.LD:
      return loadImmediateProblem(code, slot, opcode, source);
    default:
      return memoryProblem(code, slot, opcode, destination, source);
  }
}

const unknown = (opcode: number): string => `there is no opcode 0x${opcode.toString(16).padStart(2, "0")}`;
const reserved = "fields that this instruction does not use are not 0";
const readOnlyFrame = "r10 is written, which only points at the stack";

function aluProblem(code: Code, slot: number, opcode: number, destination: number, source: number): string | undefined {
  const operation = opcode & 0xf0;
  const wide = (opcode & 7) === Class.ALU64;
  const fromRegister = (opcode & FROM_REGISTER) !== 0;
  const offset = code.offsets[slot] as number;
  const immediate = code.immediates[slot] as number;
  if (operation > 0xd0) return unknown(opcode);
  if (destination === 10) return readOnlyFrame;
  if (operation === 0xd0) {
    if (wide && fromRegister) return unknown(opcode);
    if (source !== 0 || offset !== 0) return reserved;
    return immediate === 16 || immediate === 32 || immediate === 64
      ? undefined
      : `a byte swap of ${immediate} bits; there are 16, 32 and 64`;
  }
  if (operation === 0x80) {
    return fromRegister ? unknown(opcode) : source !== 0 || offset !== 0 || immediate !== 0 ? reserved : undefined;
  }
  if (fromRegister) {
    if (source > 10) return `there is no register r${source}`;
    if (immediate !== 0) return reserved;
  } else if (source !== 0) return reserved;
  switch (operation) {
    case 0x30:
    case 0x90:
      return offset !== 0 && offset !== 1 ? reserved : undefined;
    case 0xb0:
      if (offset === 0) return undefined;
      if (!fromRegister) return reserved;
      return offset === 8 || offset === 16 || (wide && offset === 32)
        ? undefined
        : `a sign extension from ${offset} bits; there are 8, 16${wide ? " and 32" : ""}`;
    default:
      return offset !== 0 ? reserved : undefined;
  }
}

function jumpProblem(
  code: Code,
  slot: number,
  opcode: number,
  destination: number,
  source: number,
): string | undefined {
  const operation = opcode & 0xf0;
  const offset = code.offsets[slot] as number;
  const immediate = code.immediates[slot] as number;
  const fromRegister = (opcode & FROM_REGISTER) !== 0;
  switch (opcode) {
    case Opcode.JA:
      return destination !== 0 || source !== 0 || immediate !== 0 ? reserved : undefined;
    case Opcode.JA32:
      return destination !== 0 || source !== 0 || offset !== 0 ? reserved : undefined;
    case Opcode.EXIT:
      return destination !== 0 || source !== 0 || offset !== 0 || immediate !== 0 ? reserved : undefined;
    case Opcode.CALL:
      if (source > PSEUDO_KFUNC) return `a call of kind ${source}; there are 0 to ${PSEUDO_KFUNC}`;
      // The offset of a kernel function's call is an index into the table of modules.
      return destination !== 0 || (offset !== 0 && source !== PSEUDO_KFUNC) ? reserved : undefined;
    case Opcode.CALLX:
      // Old compilers have the number of the register in the immediate.
      if (source !== 0 || offset !== 0 || (destination !== 0 && immediate !== 0)) return reserved;
      return immediate >= 0 && immediate <= 9 && destination <= 9 ? undefined : "it calls what r10 points at";
    case Jump.JCOND | Class.JMP:
      return destination !== 0 || source !== 0 || immediate !== 0 ? reserved : undefined;
  }
  if (operation === Jump.JA || operation === Jump.CALL || operation === Jump.EXIT || operation > Jump.JSLE) {
    return unknown(opcode);
  }
  if (!fromRegister) return source !== 0 ? reserved : undefined;
  if (source > 10) return `there is no register r${source}`;
  return immediate !== 0 ? reserved : undefined;
}

function loadImmediateProblem(code: Code, slot: number, opcode: number, source: number): string | undefined {
  const mode = opcode & 0xe0;
  if (mode === Mode.ABS || mode === Mode.IND) {
    if ((opcode & 0x18) === Size.DW) return unknown(opcode);
    if (code.destinations[slot] !== 0 || code.offsets[slot] !== 0) return reserved;
    if (mode === Mode.ABS) return source !== 0 ? reserved : undefined;
    return source > 10 ? `there is no register r${source}` : undefined;
  }
  if (opcode !== Opcode.LD_IMM64) return unknown(opcode);
  if (code.destinations[slot] === 10) return readOnlyFrame;
  if (slot + 1 >= code.length) return "its second half is missing";
  if (source > 6) return `an ld_imm64 of kind ${source}; there are 0 to 6`;
  if (code.offsets[slot] !== 0) return reserved;
  const next = slot + 1;
  if (code.opcodes[next] !== 0) return "its second half is missing";
  const unused = code.destinations[next] !== 0 || code.sources[next] !== 0 || code.offsets[next] !== 0;
  return unused ? reserved : undefined;
}

function memoryProblem(
  code: Code,
  slot: number,
  opcode: number,
  destination: number,
  source: number,
): string | undefined {
  const kind = opcode & 7;
  const mode = opcode & 0xe0;
  if (kind !== Class.ST && source > 10) return `there is no register r${source}`;
  if (kind === Class.ST && source !== 0) return reserved;
  if (kind !== Class.ST && mode !== Mode.ATOMIC && code.immediates[slot] !== 0) return reserved;
  if (kind === Class.LDX && destination === 10) return readOnlyFrame;
  if (mode === Mode.ATOMIC) {
    if (kind !== Class.STX) return unknown(opcode);
    const problem = atomicProblem(code, slot, opcode, source);
    if (problem !== undefined) return problem;
    if (code.immediates[slot] === AtomicOperation.LOAD_ACQUIRE) {
      if (destination === 10) return readOnlyFrame;
      return frameProblem(code, slot, opcode, source);
    }
    return frameProblem(code, slot, opcode, destination);
  }
  if (mode === Mode.MEMSX && (kind !== Class.LDX || (opcode & 0x18) === Size.DW)) return unknown(opcode);
  if (mode !== Mode.MEM && mode !== Mode.MEMSX) return unknown(opcode);
  return frameProblem(code, slot, opcode, kind === Class.LDX ? source : destination);
}

function atomicProblem(code: Code, slot: number, opcode: number, source: number): string | undefined {
  const operation = code.immediates[slot] as number;
  const size = sizeOf(opcode);
  if (operation === AtomicOperation.LOAD_ACQUIRE || operation === AtomicOperation.STORE_RELEASE) return undefined;
  if (size < 4) return unknown(opcode);
  const plain = operation & ~AtomicOperation.FETCH;
  const known =
    operation === AtomicOperation.XCHG ||
    operation === AtomicOperation.CMPXCHG ||
    plain === AtomicOperation.ADD ||
    plain === AtomicOperation.OR ||
    plain === AtomicOperation.AND ||
    plain === AtomicOperation.XOR;
  if (!known) return `there is no atomic operation 0x${operation.toString(16)}`;
  const writesSource = operation !== AtomicOperation.CMPXCHG && (operation & AtomicOperation.FETCH) !== 0;
  return writesSource && source === 10 ? readOnlyFrame : undefined;
}

/** An access relative to r10 itself stays in the frame, so nothing needs to check it when it runs. */
function frameProblem(code: Code, slot: number, opcode: number, base: number): string | undefined {
  if (base !== 10) return undefined;
  const offset = code.offsets[slot] as number;
  const size = sizeOf(opcode);
  return offset >= -STACK_SIZE && offset + size <= 0
    ? undefined
    : `${size} bytes at r10${offset < 0 ? "" : "+"}${offset}; the stack has ${STACK_SIZE} bytes below r10`;
}
