// SPDX-License-Identifier: Apache-2.0

import { InstructionClass, type Instructions, Opcode, PseudoCall, PseudoLoad } from "../instruction.ts";
import { helperName } from "./helper-names.ts";

const ARITHMETIC = ["+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "neg", "%=", "^=", "=", "s>>=", "endian"];
const CONDITION = ["", "==", ">", ">=", "&", "!=", "s>", "s>=", "", "", "<", "<=", "s<", "s<="];
/** Widths by the size bits of an opcode: W, H, B, DW. */
const WIDTH = ["32", "16", "8", "64"];
const CALL_REGISTER = Opcode.CALL | 0x08;
const NEG = 8;
const MOV = 11;
const END = 13;
const DIV = 3;
const MOD = 9;
/** Modes of loads and stores (RFC 9669, section 5): opcode bits 5 to 7. */
const Mode = { IMM: 0, ABS: 1, IND: 2, MEM: 3, MEMSX: 4, ATOMIC: 6 } as const;
const FETCH = 0x01;
const ATOMIC_XCHG = 0xe1;
const ATOMIC_CMPXCHG = 0xf1;
const LOAD_ACQUIRE = 0x100;
const STORE_RELEASE = 0x110;
const ATOMIC_OPERATIONS: ReadonlyMap<number, readonly [sign: string, name: string]> = new Map([
  [0x00, ["+=", "add"]],
  [0x40, ["|=", "or"]],
  [0x50, ["&=", "and"]],
  [0xa0, ["^=", "xor"]],
]);

/** Names for what an instruction refers to; slots count from the start of the program. */
export interface Names {
  /** The label of the function that begins at a slot. */
  functionAt(slot: number): string | undefined;
  /** How to show the map or variable that an `ld_imm64` at a slot loads. */
  referenceAt(slot: number): string | undefined;
}

/**
 * One instruction as the kernel's verifier prints it (print_bpf_insn, kernel/bpf/disasm.c): `r1 = *(u64 *)(r6 +8)`,
 * `if r0 == 0x0 goto pc+3`. What is no instruction of RFC 9669 or of version 4 of the instruction set comes out as
 * `invalid`, with its bytes as the verifier would name them.
 */
export function disassembleInstruction(code: Instructions, slot: number, names: Names): string {
  const opcode = code.opcode(slot);
  switch (opcode & 0x07) {
    case InstructionClass.ALU:
    case InstructionClass.ALU64:
      return arithmetic(code, slot);
    case InstructionClass.JMP:
    case InstructionClass.JMP32:
      return jump(code, slot, names);
    case InstructionClass.LD:
      return load(code, slot, names);
    case InstructionClass.LDX: {
      const mode = opcode >> 5;
      if (mode !== Mode.MEM && mode !== Mode.MEMSX) return invalid(code, slot);
      const sign = mode === Mode.MEMSX ? "s" : "u";
      return `r${code.destination(slot)} = ${memory(code, slot, sign, code.source(slot))}`;
    }
    case InstructionClass.ST:
      if (opcode >> 5 !== Mode.MEM) return invalid(code, slot);
      return `${memory(code, slot, "u", code.destination(slot))} = ${code.immediate(slot)}`;
    default:
      if (opcode >> 5 === Mode.ATOMIC) return atomic(code, slot);
      if (opcode >> 5 !== Mode.MEM) return invalid(code, slot);
      return `${memory(code, slot, "u", code.destination(slot))} = r${code.source(slot)}`;
  }
}

function invalid(code: Instructions, slot: number): string {
  return `invalid (opcode 0x${code.opcode(slot).toString(16).padStart(2, "0")})`;
}

function arithmetic(code: Instructions, slot: number): string {
  const opcode = code.opcode(slot);
  const wide = (opcode & 0x07) === InstructionClass.ALU64;
  const operation = opcode >> 4;
  const letter = wide ? "r" : "w";
  const destination = `${letter}${code.destination(slot)}`;
  const fromRegister = (opcode & 0x08) !== 0;
  const offset = code.offset(slot);
  const symbol = ARITHMETIC[operation];
  if (symbol === undefined) return invalid(code, slot);
  if (operation === NEG) return `${destination} = -${destination}`;
  if (operation === END) {
    const bits = code.immediate(slot);
    if (bits !== 16 && bits !== 32 && bits !== 64) return invalid(code, slot);
    if (wide && fromRegister) return invalid(code, slot);
    const register = `r${code.destination(slot)}`;
    return `${register} = ${wide ? "bswap" : fromRegister ? "be" : "le"}${bits} ${register}`;
  }
  const source = fromRegister ? `${letter}${code.source(slot)}` : `${code.immediate(slot)}`;
  if (operation === MOV && fromRegister && offset !== 0) {
    // BPF_ADDR_SPACE_CAST (6.9): the immediate holds both address spaces.
    if (wide && offset === 1) {
      const spaces = code.immediate(slot);
      return `${destination} = addr_space_cast(${source}, ${spaces >>> 16}, ${spaces & 0xffff})`;
    }
    // BPF_ADDR_PERCPU (6.10), which the verifier alone writes: an address of this CPU's copy.
    if (wide && offset === -1) return `${destination} = &(void __percpu *)(${source})`;
    if (offset !== 8 && offset !== 16 && offset !== 32) return invalid(code, slot);
    return `${destination} = (s${offset})${source}`;
  }
  const signed = (operation === DIV || operation === MOD) && offset === 1 ? "s" : "";
  return `${destination} ${signed}${symbol} ${source}`;
}

function jump(code: Instructions, slot: number, names: Names): string {
  const opcode = code.opcode(slot);
  const narrow = (opcode & 0x07) === InstructionClass.JMP32;
  const operation = opcode >> 4;
  const offset = code.offset(slot);
  if (opcode === Opcode.CALL) return call(code, slot, names);
  // As clang encodes it; no verifier takes it.
  if (opcode === CALL_REGISTER) return `callx r${code.destination(slot)}`;
  if (opcode === Opcode.EXIT) return "exit";
  if (operation === 0) {
    const distance = narrow ? code.immediate(slot) : offset;
    return `${narrow ? "gotol" : "goto"} pc${signed(distance)}`;
  }
  // BPF_JCOND (6.10) with source 0.
  if (operation === 14 && !narrow) return `may_goto pc${signed(offset)}`;
  const symbol = CONDITION[operation];
  if (symbol === undefined || symbol === "") return invalid(code, slot);
  const letter = narrow ? "w" : "r";
  const right =
    (opcode & 0x08) !== 0 ? `${letter}${code.source(slot)}` : `0x${(code.immediate(slot) >>> 0).toString(16)}`;
  return `if ${letter}${code.destination(slot)} ${symbol} ${right} goto pc${signed(offset)}`;
}

function call(code: Instructions, slot: number, names: Names): string {
  const immediate = code.immediate(slot);
  switch (code.source(slot)) {
    case PseudoCall.FUNCTION:
      return `call ${names.functionAt(slot + 1 + immediate) ?? `pc${signed(immediate)}`}`;
    case PseudoCall.KFUNC:
      return `call kernel-function#${immediate}`;
    default: {
      const name = helperName(immediate);
      return name === undefined ? `call unknown#${immediate}` : `call bpf_${name}#${immediate}`;
    }
  }
}

function load(code: Instructions, slot: number, names: Names): string {
  const opcode = code.opcode(slot);
  const width = WIDTH[(opcode >> 3) & 3];
  switch (opcode >> 5) {
    case Mode.ABS:
      return `r0 = *(u${width} *)skb[${code.immediate(slot)}]`;
    case Mode.IND:
      return `r0 = *(u${width} *)skb[r${code.source(slot)} + ${code.immediate(slot)}]`;
    default:
      break;
  }
  if (opcode !== Opcode.LD_IMM64 || slot + 1 >= code.length) return invalid(code, slot);
  const destination = `r${code.destination(slot)}`;
  const reference = names.referenceAt(slot);
  if (reference !== undefined) return `${destination} = ${reference}`;
  if (code.source(slot) === PseudoLoad.FUNC) {
    const target = slot + 1 + code.immediate(slot);
    return `${destination} = ${names.functionAt(target) ?? `subprog[${signed(code.immediate(slot))}]`}`;
  }
  return `${destination} = 0x${code.immediate64(slot).toString(16)}`;
}

function atomic(code: Instructions, slot: number): string {
  const opcode = code.opcode(slot);
  const operation = code.immediate(slot);
  const bits = WIDTH[(opcode >> 3) & 3];
  const suffix = bits === "64" ? "64" : "";
  const address = `(u${bits} *)(r${code.destination(slot)} ${signed(code.offset(slot))})`;
  const source = `r${code.source(slot)}`;
  const plain = ATOMIC_OPERATIONS.get(operation & ~FETCH);
  if (plain !== undefined) {
    const [sign, name] = plain;
    return (operation & FETCH) === 0
      ? `lock *${address} ${sign} ${source}`
      : `${source} = atomic${suffix}_fetch_${name}(${address}, ${source})`;
  }
  switch (operation) {
    case ATOMIC_XCHG:
      return `${source} = atomic${suffix}_xchg(${address}, ${source})`;
    case ATOMIC_CMPXCHG:
      return `r0 = atomic${suffix}_cmpxchg(${address}, r0, ${source})`;
    case LOAD_ACQUIRE:
      return `r${code.destination(slot)} = load_acquire((u${bits} *)(${source} ${signed(code.offset(slot))}))`;
    case STORE_RELEASE:
      return `store_release(${address}, ${source})`;
    default:
      return invalid(code, slot);
  }
}

function memory(code: Instructions, slot: number, sign: "s" | "u", register: number): string {
  const width = WIDTH[(code.opcode(slot) >> 3) & 3];
  return `*(${sign}${width} *)(r${register} ${signed(code.offset(slot))})`;
}

function signed(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}
