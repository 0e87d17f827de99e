// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";

/** Where one argument of a USDT probe is when the program gets there. */
export type UsdtArgument = UsdtValue & {
  /** 1, 2, 4 or 8 bytes. */
  readonly size: number;
  readonly signed: boolean;
};

type UsdtValue =
  | { readonly kind: "constant"; readonly value: bigint }
  /** `register` is its byte offset in `struct pt_regs`. */
  | { readonly kind: "register"; readonly register: number }
  /** In memory, at `register` + `index` × 2^`shift` + `offset`. */
  | {
      readonly kind: "memory";
      readonly register: number;
      readonly offset: bigint;
      readonly index?: number;
      readonly shift?: number;
    };

/** What the operands of a site refer to beside registers. */
export interface UsdtContext {
  readonly arch: "x64" | "arm64";
  /** The site's address, as the file is linked. */
  readonly address: number;
  /** The address of a symbol of the file, linked likewise. */
  readonly symbol: (name: string) => number | undefined;
  /** For error messages. */
  readonly object: string;
}

/**
 * Reads the arguments of a USDT note, which the compiler wrote as operands of its assembler: `-4@%eax 8@-16(%rbp)` on
 * x86-64, `8@x0 -4@[sp, 12]` on arm64. The number is the size, negative when signed. Throws InvalidValueError for one
 * that a program could not read: a floating-point or vector register, a segment.
 */
export function parseUsdtArguments(text: string, context: UsdtContext): UsdtArgument[] {
  const found: UsdtArgument[] = [];
  const rest = text.trim();
  const pattern = /(-?\d+)(f?)@(\[[^\]]*\]|[^\s()]*\([^)]*\)|[^\s()[\]]+)(?:\s+|$)/y;
  while (pattern.lastIndex < rest.length) {
    const at = pattern.lastIndex;
    const [argument = "", sizeText = "", float = "", operand = ""] = pattern.exec(rest) ?? [];
    const refuse = (why: string): InvalidValueError =>
      new InvalidValueError(
        `${context.object}: argument ${found.length} is "${argument.trim() || rest.slice(at)}", ${why}`,
      );
    if (argument === "") throw refuse("which is no SIZE@OPERAND");
    const size = Math.abs(Number(sizeText));
    if (![1, 2, 4, 8].includes(size)) throw refuse(`its size is ${size}, wanted 1, 2, 4 or 8`);
    if (float !== "") throw refuse("a floating-point number, which programs cannot read");
    const value = context.arch === "x64" ? x64Operand(operand, context) : arm64Operand(operand);
    if (value === undefined) throw refuse("which is no constant, no general register and no memory at one");
    found.push({ ...value, size, signed: sizeText.startsWith("-") });
  }
  return found;
}

// `struct pt_regs` of arch/x86/include/asm/ptrace.h, by the 64-bit name.
const x64Registers: Readonly<Record<string, number>> = {
  r15: 0,
  r14: 8,
  r13: 16,
  r12: 24,
  rbp: 32,
  rbx: 40,
  r11: 48,
  r10: 56,
  r9: 64,
  r8: 72,
  rax: 80,
  rcx: 88,
  rdx: 96,
  rsi: 104,
  rdi: 112,
  rip: 128,
  rsp: 152,
};

/** The offset of a register by any of its names: `rax`, `eax`, `ax`, `al`; `ah` begins a byte later. */
function x64Register(name: string): number | undefined {
  if (/^[abcd]h$/.test(name)) return (x64Registers[`r${name[0]}x`] ?? 0) + 1;
  const wide = name
    .replace(/^(r\d+)[dwb]$/, "$1")
    .replace(/^([abcd])l$/, "r$1x")
    .replace(/^(si|di|bp|sp)l$/, "r$1")
    .replace(/^e?([abcd]x|si|di|bp|sp|ip)$/, "r$1");
  return Object.hasOwn(x64Registers, wide) ? x64Registers[wide] : undefined;
}

const shifts: Readonly<Record<string, number>> = { "1": 0, "2": 1, "4": 2, "8": 3 };

function x64Operand(operand: string, context: UsdtContext): UsdtValue | undefined {
  if (operand.startsWith("$")) return constant(operand.slice(1));
  if (operand.startsWith("%")) return inRegister(x64Register(operand.slice(1)));
  const memory = /^([^()%]*)\(\s*%(\w+)\s*(?:,\s*%(\w+)\s*(?:,\s*([1248])\s*)?)?\)$/.exec(operand);
  if (memory === null) return operand.includes("(") ? undefined : atSymbol(operand, context);
  const [, displacement = "", base = "", index, scale = "1"] = memory;
  // `name(%rip)` is the place of `name`, wherever the program was loaded.
  if (base === "rip" && /[A-Za-z_.]/.test(displacement.replace(/0x[0-9a-f]+/gi, ""))) {
    return index === undefined ? atSymbol(displacement, context) : undefined;
  }
  const register = x64Register(base);
  const offset = displacement === "" ? 0n : integer(displacement);
  if (register === undefined || offset === undefined) return undefined;
  if (index === undefined) return { kind: "memory", register, offset };
  const indexRegister = x64Register(index);
  if (indexRegister === undefined || indexRegister % 8 !== 0) return undefined;
  return { kind: "memory", register, offset, index: indexRegister, shift: shifts[scale] ?? 0 };
}

/** `name`, `name+4`, `4+name`: its distance from the probe is the same wherever the file is loaded. */
function atSymbol(text: string, { address, symbol }: UsdtContext): UsdtValue | undefined {
  let offset = 0n;
  let place: number | undefined;
  for (const [, sign, term = ""] of text.matchAll(/([+-]?)([^+-]+)/g)) {
    const number = integer(term);
    if (number !== undefined) {
      offset += sign === "-" ? -number : number;
    } else if (place === undefined && sign !== "-") {
      place = symbol(term);
      if (place === undefined) return undefined;
    } else {
      return undefined;
    }
  }
  if (place === undefined) return undefined;
  return { kind: "memory", register: x64Registers["rip"] ?? 0, offset: offset + BigInt(place - address) };
}

/** The offset in `struct user_pt_regs` (arch/arm64/include/uapi/asm/ptrace.h): x0 to x30, then sp. */
function arm64Register(name: string): number | undefined {
  if (name === "sp" || name === "wsp") return 31 * 8;
  const [, number] = /^[xw](\d+)$/.exec(name.replace(/^fp$/, "x29").replace(/^lr$/, "x30")) ?? [];
  return number === undefined || Number(number) > 30 ? undefined : Number(number) * 8;
}

function arm64Operand(operand: string): UsdtValue | undefined {
  if (operand === "xzr" || operand === "wzr") return { kind: "constant", value: 0n };
  const memory = /^\[\s*(\w+)\s*(?:,\s*([^\],]+?)\s*(?:,\s*lsl\s*#?([0-3])\s*)?)?\]$/.exec(operand);
  if (memory === null) return constant(operand.replace(/^#/, "")) ?? inRegister(arm64Register(operand));
  const [, base = "", second, shift] = memory;
  const register = arm64Register(base);
  if (register === undefined) return undefined;
  if (second === undefined) return { kind: "memory", register, offset: 0n };
  const offset = integer(second.replace(/^#/, ""));
  if (offset !== undefined) return shift === undefined ? { kind: "memory", register, offset } : undefined;
  // The narrow names need an extension of their own, which nothing here can express.
  const index = second.startsWith("w") ? undefined : arm64Register(second);
  return index === undefined ? undefined : { kind: "memory", register, offset: 0n, index, shift: Number(shift ?? 0) };
}

function inRegister(register: number | undefined): UsdtValue | undefined {
  return register === undefined ? undefined : { kind: "register", register };
}

function constant(text: string): UsdtValue | undefined {
  const value = integer(text);
  return value === undefined ? undefined : { kind: "constant", value };
}

/** A whole number in decimal or hexadecimal, with a sign. */
function integer(text: string): bigint | undefined {
  const [, sign, digits] = /^([+-]?)(0x[0-9a-f]+|\d+)$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return sign === "-" ? -BigInt(digits) : BigInt(digits);
}
