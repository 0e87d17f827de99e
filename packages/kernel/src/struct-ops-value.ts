// SPDX-License-Identifier: Apache-2.0

import {
  type Btf,
  BtfKind,
  type BtfMember,
  InvalidValueError,
  isFunctionPointer,
  type StructOpsSpec,
} from "@skep/ebpf";
import { findMember, type KernelStructType } from "./struct-ops-type.ts";

/** A struct of functions in the kernel's layout. */
export interface StructOpsValue {
  /** The value of the map, 0 where descriptors of programs go. */
  readonly bytes: Uint8Array;
  /** Names of programs by the byte offset where the kernel wants their descriptors, 8 bytes each. */
  readonly programs: ReadonlyMap<number, string>;
}

/**
 * Brings a struct from the object's layout into the kernel's, member by member, by their names. Members that the kernel
 * lacks are left out when they are zero. Throws InvalidValueError for one that is not, and for one that is of another
 * kind or size in the kernel.
 */
export function structOpsValue(name: string, spec: StructOpsSpec, kernel: KernelStructType): StructOpsValue {
  const bytes = new Uint8Array(kernel.valueSize);
  const programs = new Map<number, string>();
  for (const member of spec.programs.keys()) spec.member(member);
  for (const member of spec.type.members) {
    const object = `struct_ops "${name}", member "${member.name}"`;
    const found = member.name === "" ? undefined : findMember(kernel, member.name)?.member;
    const program = spec.programs.get(member.name);
    const from = memberBits(spec.btf, member);
    if (found === undefined) {
      if (program === undefined && isZero(spec.contents, member.bitOffset, from)) continue;
      const value = program === undefined ? "it is not zero" : `it is program "${program}"`;
      throw new InvalidValueError(`${object}: the kernel's struct ${spec.typeName} has no such member, and ${value}`);
    }
    const local = shapeOf(spec.btf, member);
    const wanted = shapeOf(kernel.btf, found);
    if (local !== wanted) throw new InvalidValueError(`${object}: ${local} in the object, ${wanted} in the kernel`);
    const at = kernel.offset * 8 + found.bitOffset;
    if (program === undefined) copyBits(spec.contents, member.bitOffset, bytes, at, from);
    else programs.set(at / 8, program);
  }
  return { bytes, programs };
}

/** How many bits a member takes. */
function memberBits(btf: Btf, { type, bitSize }: BtfMember): number {
  return bitSize === 0 ? btf.sizeOf(type) * 8 : bitSize;
}

/** What must be the same on both sides for a member to be copied, in words. */
function shapeOf(btf: Btf, member: BtfMember): string {
  if (member.bitSize !== 0) return `a bitfield of ${member.bitSize}`;
  if (isFunctionPointer(btf, member.type)) return "a function";
  const { kind } = btf.typeById(btf.resolve(member.type));
  const size = `${btf.sizeOf(member.type)} bytes`;
  switch (kind) {
    case BtfKind.PTR:
      return "a pointer";
    case BtfKind.STRUCT:
    case BtfKind.UNION:
      return `a struct of ${size}`;
    case BtfKind.ARRAY:
      return `an array of ${size}`;
    default:
      // Integers, enums and floats: a typedef of the object's may well be another.
      return `a number of ${size}`;
  }
}

function isZero(bytes: Uint8Array, start: number, count: number): boolean {
  for (let bit = start; bit < start + count; bit++) if (bitAt(bytes, bit) !== 0) return false;
  return true;
}

/** Whole bytes nearly always; a bitfield begins anywhere. */
function copyBits(from: Uint8Array, start: number, to: Uint8Array, at: number, count: number): void {
  if ((start | at | count) % 8 === 0) {
    to.set(from.subarray(start / 8, (start + count) / 8), at / 8);
    return;
  }
  for (let i = 0; i < count; i++) {
    const place = (at + i) >>> 3;
    to[place] = (to[place] ?? 0) | (bitAt(from, start + i) << ((at + i) & 7));
  }
}

/** A bit, counted from the lowest of the first byte: both architectures are little-endian. */
function bitAt(bytes: Uint8Array, bit: number): number {
  return ((bytes[bit >>> 3] ?? 0) >>> (bit & 7)) & 1;
}
