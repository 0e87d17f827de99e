// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "../errors.ts";

/** A register: `%r3`, also `r3`. */
export function parseRegister(text: string): number {
  const match = /^%?[rw](\d|10)$/.exec(text);
  if (match === null) throw new InvalidValueError(`"${text}" is not a register, wanted %r0 to %r10`);
  return Number(match[1]);
}

/** Whether an operand is a register. */
export function isRegister(text: string): boolean {
  return /^%?[rw](\d|10)$/.test(text);
}

/** A whole number, decimal or `0x`, with a sign. */
export function parseNumber(text: string): bigint {
  const match = /^([+-]?)(0x[0-9a-f]+|\d+)$/i.exec(text);
  if (match === null) throw new InvalidValueError(`"${text}" is not a number`);
  const value = BigInt(match[2] ?? "0");
  return match[1] === "-" ? -value : value;
}

/** Memory at a register and an offset in bytes: `[%r1+8]`. */
export function parseMemory(text: string): { readonly register: number; readonly offset: number } {
  const match = /^\[\s*(%?r\d+)\s*(?:([+-])\s*(\w+)\s*)?\]$/.exec(text);
  if (match === null) throw new InvalidValueError(`"${text}" is not memory, wanted it like [%r1+8]`);
  const [, register = "", sign = "+", distance = "0"] = match;
  return { register: parseRegister(register), offset: Number(parseNumber(`${sign}${distance}`)) };
}

/** Where a jump leads: a distance in slots, which has a sign, or a label. */
export function parseTarget(text: string): { readonly offset: number } | { readonly target: string } {
  if (/^[+-]/.test(text)) return { offset: Number(parseNumber(text)) };
  if (!/^[A-Za-z_.$][\w.$]*$/.test(text)) throw new InvalidValueError(`"${text}" is neither +slots nor a label`);
  return { target: text };
}

/** A map, `map[events]`, or a byte of its value under key 0, `map[.rodata][0]+16`. */
export function parseMap(text: string): { readonly map: string; readonly valueOffset: number | undefined } | undefined {
  const match = /^map\[([^\]]+)\](?:\[0\](?:\+(\w+))?)?$/.exec(text);
  if (match === null) return undefined;
  const value = text.includes("][0]");
  return { map: match[1] ?? "", valueOffset: value ? Number(parseNumber(match[2] ?? "0")) : undefined };
}
