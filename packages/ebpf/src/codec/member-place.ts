// SPDX-License-Identifier: Apache-2.0

import { BtfKind, type BtfMember, type BtfType } from "../btf/types.ts";
import type { BitRange } from "./bits.ts";

/** Where a member lies. */
export interface MemberPlace {
  /** Bytes from the start of the struct to the first byte that the member touches. */
  readonly offset: number;
  /** Which bits from there on, when it is a bitfield. */
  readonly bits: BitRange | undefined;
}

/**
 * Where a member of this type (already resolved) lies. BTF says that a member is a bitfield in two ways: by the
 * member (`kind_flag` set), and before clang 8 and pahole 1.13 by an integer type of fewer bits than bytes.
 */
export function placeOf(member: BtfMember, type: BtfType): MemberPlace {
  const integer = type.kind === BtfKind.INT ? type : undefined;
  const first = member.bitOffset + (integer?.bitOffset ?? 0);
  let size = member.bitSize;
  if (size === 0 && integer !== undefined && integer.bits !== integer.size * 8) size = integer.bits;
  if (size === 0 && first % 8 !== 0 && "size" in type) size = type.size * 8;
  return { offset: Math.floor(first / 8), bits: size === 0 ? undefined : { offset: first % 8, size } };
}

/** Whether a type is `char`, so that an array of it is text. Compilers mark it by its name, rarely by its encoding. */
export function isChar(type: BtfType): boolean {
  return type.kind === BtfKind.INT && type.size === 1 && !type.bool && (type.char || type.name === "char");
}

/** Whether a type is an unsigned byte, so that an array of it is bytes. */
export function isByte(type: BtfType): boolean {
  return type.kind === BtfKind.INT && type.size === 1 && type.bits === 8 && !type.signed && !type.bool && !isChar(type);
}
