// SPDX-License-Identifier: Apache-2.0

import { helperName } from "../disassemble/helper-names.ts";
import { InvalidValueError } from "../errors.ts";
import { InstructionClass, Opcode, PseudoCall, PseudoLoad } from "../instruction.ts";
import type { AssemblyInstruction } from "./assembly-instruction.ts";
import { isRegister, parseMap, parseMemory, parseNumber, parseRegister, parseTarget } from "./operand.ts";

const FROM_REGISTER = 0x08;
const MODE_ABS = 0x20;
const MODE_IND = 0x40;
const MODE_MEM = 0x60;
const MODE_MEMSX = 0x80;
const MODE_ATOMIC = 0xc0;
const FETCH = 1;
const ARITHMETIC = new Map<string, readonly [operation: number, offset: number]>([
  ...(["add", "sub", "mul", "div", "or", "and", "lsh", "rsh"] as const).map((name, i) => [name, [i, 0]] as const),
  ...([
    ["mod", [9, 0]],
    ["xor", [10, 0]],
    ["mov", [11, 0]],
    ["arsh", [12, 0]],
  ] as const),
  ...([
    ["sdiv", [3, 1]],
    ["smod", [9, 1]],
  ] as const),
]);
const CONDITIONS = ["", "jeq", "jgt", "jge", "jset", "jne", "jsgt", "jsge", "", "", "jlt", "jle", "jslt", "jsle"];
const SIZES: Readonly<Record<string, number>> = { w: 0x00, h: 0x08, b: 0x10, dw: 0x18 };
const WIDTHS: Readonly<Record<string, string>> = { 8: "b", 16: "h", 32: "w", 64: "dw" };
const ATOMIC: Readonly<Record<string, number>> = { add: 0x00, or: 0x40, and: 0x50, xor: 0xa0 };
const ATOMIC_XCHG = 0xe1;
const ATOMIC_CMPXCHG = 0xf1;
const LOAD_ACQUIRE = 0x100;
const STORE_RELEASE = 0x110;
const JCOND = 0xe0;

/** One line without its label: the words before the operands, and the operands. Throws InvalidValueError. */
export function assembleLine(words: readonly string[], operands: readonly string[]): AssemblyInstruction {
  const [mnemonic = "", ...more] = words;
  const operand = (i: number): string => {
    const text = operands[i];
    if (text === undefined) throw new InvalidValueError(`${mnemonic} has ${operands.length} operands, wanted more`);
    return text;
  };
  const [instruction, count] = assemble(mnemonic, more, operand);
  if (operands.length !== count) {
    throw new InvalidValueError(`${mnemonic} has ${operands.length} operands, wanted ${count}`);
  }
  return instruction;
}

type Operand = (i: number) => string;
type Assembled = readonly [instruction: AssemblyInstruction, operands: number];

function assemble(mnemonic: string, more: readonly string[], operand: Operand): Assembled {
  if (mnemonic === "lock") return lock(more, operand);
  if (mnemonic === "call") return [call(more), 0];
  if (more.length > 0) throw new InvalidValueError(`"${more.join(" ")}" after ${mnemonic} means nothing`);
  switch (mnemonic) {
    case "exit":
      return [{ opcode: Opcode.EXIT }, 0];
    case "ja":
      return [{ opcode: InstructionClass.JMP, ...parseTarget(operand(0)) }, 1];
    case "ja32": {
      const to = parseTarget(operand(0));
      return [{ opcode: InstructionClass.JMP32, ...("target" in to ? to : { immediate: to.offset }) }, 1];
    }
    case "may_goto":
      return [{ opcode: JCOND | InstructionClass.JMP, ...parseTarget(operand(0)) }, 1];
    case "lddw":
      return [loadWide(parseRegister(operand(0)), operand(1)), 2];
    case "neg":
    case "neg32": {
      const opcode = 0x80 | (mnemonic === "neg" ? InstructionClass.ALU64 : InstructionClass.ALU);
      return [{ opcode, destination: parseRegister(operand(0)) }, 1];
    }
    case "addr_space_cast":
      // 6.9: `addr_space_cast %r1, %r2, to, from`.
      return [
        {
          opcode: 0xb0 | FROM_REGISTER | InstructionClass.ALU64,
          ...{ destination: parseRegister(operand(0)), source: parseRegister(operand(1)), offset: 1 },
          immediate: (parseNumber(operand(2)) << 16n) | parseNumber(operand(3)),
        },
        4,
      ];
    default:
      return (
        swap(mnemonic, operand) ?? move(mnemonic, operand) ?? memory(mnemonic, operand) ?? compute(mnemonic, operand)
      );
  }
}

function loadWide(destination: number, what: string): AssemblyInstruction {
  const map = parseMap(what);
  if (map !== undefined) return { opcode: Opcode.LD_IMM64, destination, map };
  if (/^[+-]?\d/.test(what)) return { opcode: Opcode.LD_IMM64, destination, immediate: parseNumber(what) };
  // The address of a function.
  return { opcode: Opcode.LD_IMM64, destination, source: PseudoLoad.FUNC, ...parseTarget(what) };
}

/**
 * `call 5`, `call bpf_ktime_get_ns`, `call helper 5`, `call local func`, `call kfunc 1234` and its other name
 * `call runtime 1234`; `call %r2` through a register.
 */
function call([what = "", name, ...more]: readonly string[]): AssemblyInstruction {
  if (more.length > 0) throw new InvalidValueError(`"${more.join(" ")}" after call ${what} ${name} means nothing`);
  if (name === undefined) return helper(what);
  switch (what) {
    case "local": {
      const to = parseTarget(name);
      const call = { opcode: Opcode.CALL, source: PseudoCall.FUNCTION };
      return { ...call, ...("target" in to ? to : { immediate: to.offset }) };
    }
    case "kfunc":
    case "runtime":
      return { opcode: Opcode.CALL, source: PseudoCall.KFUNC, immediate: parseNumber(name) };
    case "helper":
      return helper(name);
    default:
      throw new InvalidValueError(`call takes "helper", "local" or "kfunc", not "${what}"`);
  }
}

/** A helper by its number, by its name, or by what a register holds (`callx`, as clang encodes it). */
function helper(what: string): AssemblyInstruction {
  if (isRegister(what)) return { opcode: Opcode.CALL | FROM_REGISTER, destination: parseRegister(what) };
  if (/^[+-]?\d/.test(what)) return { opcode: Opcode.CALL, immediate: parseNumber(what) };
  for (let id = 1; helperName(id) !== undefined; id++) {
    if (helperName(id) === what.replace(/^bpf_/, "")) return { opcode: Opcode.CALL, immediate: id };
  }
  throw new InvalidValueError(`there is no helper "${what}"`);
}

/** `lock fetch add32 [%r10-4], %r1`, `lock xchg …`, `lock cmpxchg …`, which fetch in any case. */
function lock(more: readonly string[], operand: Operand): Assembled {
  const fetch = more[0] === "fetch";
  const [name = "", ...rest] = fetch ? more.slice(1) : more;
  const plain = name.replace(/32$/, "");
  let operation = ATOMIC[plain];
  if (operation !== undefined) operation |= fetch ? FETCH : 0;
  else if (plain === "xchg") operation = ATOMIC_XCHG;
  else if (plain === "cmpxchg") operation = ATOMIC_CMPXCHG;
  if (operation === undefined || rest.length > 0) throw new InvalidValueError(`lock ${more.join(" ")} is no operation`);
  const { register, offset } = parseMemory(operand(0));
  const size = name === plain ? SIZES.dw : SIZES.w;
  const opcode = MODE_ATOMIC | (size ?? 0) | InstructionClass.STX;
  return [{ opcode, destination: register, source: parseRegister(operand(1)), offset, immediate: operation }, 2];
}

/** `le16`, `be32`, `bswap64` and its other name `swap64`. */
function swap(mnemonic: string, operand: Operand): Assembled | undefined {
  const match = /^(le|be|bswap|swap)(16|32|64)$/.exec(mnemonic);
  if (match === null) return undefined;
  const [, order = "", bits = ""] = match;
  const opcode = order === "le" ? 0xd4 : order === "be" ? 0xdc : 0xd7;
  return [{ opcode, destination: parseRegister(operand(0)), immediate: Number(bits) }, 1];
}

/** `movsx832`: from 8 bits with sign to 32. */
function move(mnemonic: string, operand: Operand): Assembled | undefined {
  const match = /^movsx(8|16|32)(32|64)$/.exec(mnemonic);
  if (match === null) return undefined;
  const [, from = "", to = ""] = match;
  if (from === to) throw new InvalidValueError(`${mnemonic} extends nothing`);
  const opcode = 0xb0 | FROM_REGISTER | (to === "64" ? InstructionClass.ALU64 : InstructionClass.ALU);
  return [
    { opcode, destination: parseRegister(operand(0)), source: parseRegister(operand(1)), offset: Number(from) },
    2,
  ];
}

/**
 * Loads and stores, with sign, to and from packets, and ordered (6.15): `ldacqw`, `strelw` or, in bits as other atomic
 * operations have it, `load_acquire32`, `store_release32`, which are of 64 bits when they name none.
 */
function memory(mnemonic: string, operand: Operand): Assembled | undefined {
  const match = /^(ldxs|ldx|stx|st|ldabs|ldind|ldacq|strel)(b|h|w|dw)$/.exec(ordered(mnemonic));
  if (match === null) return undefined;
  const [, kind = "", width = ""] = match;
  const size = SIZES[width] ?? 0;
  switch (kind) {
    case "ldx":
    case "ldxs":
    case "ldacq": {
      const { register: source, offset } = parseMemory(operand(1));
      const destination = parseRegister(operand(0));
      if (kind === "ldxs" && width === "dw") throw new InvalidValueError("ldxsdw extends nothing");
      if (kind === "ldacq") {
        const opcode = MODE_ATOMIC | size | InstructionClass.STX;
        return [{ opcode, destination, source, offset, immediate: LOAD_ACQUIRE }, 2];
      }
      const mode = kind === "ldxs" ? MODE_MEMSX : MODE_MEM;
      return [{ opcode: mode | size | InstructionClass.LDX, destination, source, offset }, 2];
    }
    case "st": {
      const { register: destination, offset } = parseMemory(operand(0));
      return [
        { opcode: MODE_MEM | size | InstructionClass.ST, destination, offset, immediate: parseNumber(operand(1)) },
        2,
      ];
    }
    case "stx":
    case "strel": {
      const { register: destination, offset } = parseMemory(operand(0));
      const source = parseRegister(operand(1));
      return kind === "stx"
        ? [{ opcode: MODE_MEM | size | InstructionClass.STX, destination, source, offset }, 2]
        : [
            {
              opcode: MODE_ATOMIC | size | InstructionClass.STX,
              ...{ destination, source, offset, immediate: STORE_RELEASE },
            },
            2,
          ];
    }
    case "ldabs":
      return [{ opcode: MODE_ABS | size | InstructionClass.LD, immediate: parseNumber(operand(0)) }, 1];
    default:
      return [
        {
          opcode: MODE_IND | size | InstructionClass.LD,
          ...{ source: parseRegister(operand(0)), immediate: parseNumber(operand(1)) },
        },
        2,
      ];
  }
}

/** `load_acquire32` as `ldacqw`. */
function ordered(mnemonic: string): string {
  const match = /^(load_acquire|store_release)(8|16|32|64|)$/.exec(mnemonic);
  if (match === null) return mnemonic;
  return `${match[1] === "load_acquire" ? "ldacq" : "strel"}${WIDTHS[match[2] ?? ""] ?? "dw"}`;
}

/** Arithmetic and conditional jumps, of 64 bits or, ending in 32, of 32. */
function compute(mnemonic: string, operand: Operand): Assembled {
  const narrow = mnemonic.endsWith("32");
  const name = narrow ? mnemonic.slice(0, -2) : mnemonic;
  const second = (opcode: number, offset: number): AssemblyInstruction => {
    const destination = parseRegister(operand(0));
    const text = operand(1);
    return isRegister(text)
      ? { opcode: opcode | FROM_REGISTER, destination, source: parseRegister(text), offset }
      : { opcode, destination, offset, immediate: parseNumber(text) };
  };
  const arithmetic = ARITHMETIC.get(name);
  if (arithmetic !== undefined) {
    const [operation, offset] = arithmetic;
    return [second((operation << 4) | (narrow ? InstructionClass.ALU : InstructionClass.ALU64), offset), 2];
  }
  const condition = name === "" ? -1 : CONDITIONS.indexOf(name);
  if (condition > 0) {
    const opcode = (condition << 4) | (narrow ? InstructionClass.JMP32 : InstructionClass.JMP);
    return [{ ...second(opcode, 0), ...parseTarget(operand(2)) }, 3];
  }
  throw new InvalidValueError(`there is no instruction "${mnemonic}"`);
}
