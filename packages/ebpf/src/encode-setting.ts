// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "./btf/btf.ts";
import { BtfKind, type BtfType } from "./btf/types.ts";
import type { VariableSpec } from "./variable-spec.ts";

const TRISTATE: ReadonlyMap<string, number> = new Map([
  ["n", 0],
  ["y", 1],
  ["m", 2],
]);

/**
 * Writes a value of a kernel configuration (`y`, `m`, `"text"`, `100`) into `contents` at a variable's place, as the
 * variable's type has it: a bool, a char ('y'), an `enum libbpf_tristate`, an integer, or an array of chars that ends
 * with NUL. Returns why it cannot, and undefined when it has.
 */
export function encodeSetting(
  btf: Btf,
  variable: VariableSpec,
  value: string,
  contents: Uint8Array,
): string | undefined {
  const type = btf.typeById(btf.resolve(variable.typeId));
  const field = contents.subarray(variable.offset, variable.offset + variable.size);
  if (type.kind === BtfKind.ARRAY) {
    const element = btf.typeById(btf.resolve(type.element));
    if (!isChar(element)) return unsuitable(value, "an array of something else than char");
    return encodeText(value, field);
  }
  if (value.startsWith('"')) return unsuitable(value, describe(type));
  const state = TRISTATE.get(value);
  if (state !== undefined) return encodeState(type, value, state, field, btf);
  if (type.kind !== BtfKind.INT) return unsuitable(value, describe(type));
  if (!/^-?(0x[0-9a-f]+|\d+)$/i.test(value)) return unsuitable(value, describe(type));
  const number = value.startsWith("-") ? -BigInt(value.slice(1)) : BigInt(value);
  const bits = type.bool ? 1 : field.length * 8;
  const asSigned = !type.bool && type.signed;
  // Hexadecimal numbers stand for bits: 0xffffffff fits in an int.
  const fits =
    (asSigned ? BigInt.asIntN(bits, number) : BigInt.asUintN(bits, number)) === number ||
    (asSigned && /^0x/i.test(value) && BigInt.asUintN(bits, number) === number);
  if (!fits) return unsuitable(value, describe(type));
  writeInteger(field, number, btf);
  return undefined;
}

function encodeState(type: BtfType, value: string, state: number, field: Uint8Array, btf: Btf): string | undefined {
  if ((type.kind === BtfKind.ENUM || type.kind === BtfKind.ENUM64) && type.name === "libbpf_tristate") {
    writeInteger(field, BigInt(state), btf);
    return undefined;
  }
  if (type.kind === BtfKind.INT && type.bool && value !== "m") {
    writeInteger(field, BigInt(state), btf);
    return undefined;
  }
  if (!isChar(type)) return unsuitable(value, describe(type));
  field[0] = value.charCodeAt(0);
  return undefined;
}

function encodeText(value: string, field: Uint8Array): string | undefined {
  if (!/^".*"$/s.test(value)) return unsuitable(value, "an array of char");
  const bytes = new TextEncoder().encode(value.slice(1, -1).replace(/\\(["\\])/g, "$1"));
  if (bytes.length >= field.length) {
    return `its value has ${bytes.length} bytes and a NUL, the array has ${field.length}`;
  }
  field.fill(0);
  field.set(bytes);
  return undefined;
}

function writeInteger(field: Uint8Array, value: bigint, btf: Btf): void {
  const bits = BigInt.asUintN(field.length * 8, value);
  for (let i = 0; i < field.length; i++) {
    const byte = btf.byteOrder === "little" ? i : field.length - 1 - i;
    field[byte] = Number((bits >> BigInt(i * 8)) & 0xffn);
  }
}

function isChar(type: BtfType): boolean {
  return type.kind === BtfKind.INT && type.size === 1 && !type.bool;
}

function describe(type: BtfType): string {
  if (type.kind === BtfKind.INT)
    return type.bool ? "a bool" : `${type.signed ? "a signed" : "an unsigned"} integer of ${type.size} bytes`;
  if (type.kind === BtfKind.ENUM || type.kind === BtfKind.ENUM64) return `enum ${type.name}`;
  return "a type that no configuration has";
}

function unsuitable(value: string, type: string): string {
  return `its value ${value} does not fit in ${type}`;
}
