// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import type { BtfType } from "../btf/types.ts";
import { MalformedError } from "../errors.ts";
import type { AccessPath } from "./access-path.ts";
import { CoreRelocationKind, isEnumRelocation, isFieldRelocation } from "./relocation-kind.ts";

/** What a relocation comes to in the terms of one BTF. */
export interface RelocationValue {
  readonly value: bigint;
  /** Whether the compiler is sure to have computed the same value from the same types. */
  readonly exact: boolean;
  /** For byte offsets of fields that are no bitfields: what is loaded or stored there. */
  readonly field: { readonly size: number; readonly type: BtfType } | undefined;
}

/**
 * The value of a relocation for a path in `btf`. Without a path: 0 where absence is an answer, undefined
 * where it is none (bpf_core_calc_field_relo and its like, tools/lib/bpf/relo_core.c).
 */
export function relocationValue(btf: Btf, path: AccessPath | undefined, kind: number): RelocationValue | undefined {
  if (path === undefined) {
    const absence =
      kind === CoreRelocationKind.FIELD_EXISTS || kind === CoreRelocationKind.ENUMVAL_EXISTS || isTypeKind(kind);
    return absence ? plain(0) : undefined;
  }
  switch (kind) {
    case CoreRelocationKind.FIELD_EXISTS:
    case CoreRelocationKind.ENUMVAL_EXISTS:
    case CoreRelocationKind.TYPE_EXISTS:
    case CoreRelocationKind.TYPE_MATCHES:
      return plain(1);
    case CoreRelocationKind.TYPE_ID_LOCAL:
    case CoreRelocationKind.TYPE_ID_TARGET:
      // A static linker may have renumbered the types since the instruction was written.
      return { ...plain(path.root), exact: false };
    case CoreRelocationKind.TYPE_SIZE:
      return plain(btf.sizeOf(path.root));
    case CoreRelocationKind.ENUMVAL_VALUE:
      return enumValue(btf, path);
    default:
      return fieldValue(btf, path, kind);
  }
}

function isTypeKind(kind: number): boolean {
  return !isFieldRelocation(kind) && !isEnumRelocation(kind);
}

function plain(value: number): RelocationValue {
  return { value: BigInt(value), exact: true, field: undefined };
}

function enumValue(btf: Btf, path: AccessPath): RelocationValue {
  const [step] = path.steps;
  const type = step === undefined ? undefined : btf.typeById(step.typeId);
  const value = type !== undefined && "values" in type ? type.values[step?.index ?? 0]?.value : undefined;
  if (value === undefined) throw new MalformedError("CO-RE relocation", undefined, "the enum has no such value");
  return { value: BigInt.asUintN(64, BigInt(value)), exact: true, field: undefined };
}

function fieldValue(btf: Btf, path: AccessPath, kind: number): RelocationValue {
  const last = path.steps.at(-1);
  if (last === undefined) throw new MalformedError("CO-RE relocation", undefined, "the path to the field is empty");
  const parent = btf.typeById(last.typeId);
  const member = last.name !== undefined && "members" in parent ? parent.members[last.index] : undefined;
  const typeId = btf.resolve(member?.type ?? last.typeId);
  const type = btf.typeById(typeId);

  let byteSize = btf.sizeOf(typeId);
  let byteOffset = Math.floor(path.bitOffset / 8);
  let bitSize = byteSize * 8;
  const bitfield = member !== undefined && member.bitSize > 0;
  if (bitfield) {
    if (byteSize === 0) {
      throw new MalformedError("CO-RE relocation", undefined, `the type of bitfield "${member.name}" has no bytes`);
    }
    bitSize = member.bitSize;
    // The smallest aligned word that holds all of the bits.
    byteOffset = wordOffset(path.bitOffset, byteSize);
    while (path.bitOffset + bitSize > (byteOffset + byteSize) * 8) {
      if (byteSize >= 8)
        throw new MalformedError("CO-RE relocation", undefined, `bitfield "${member.name}" does not fit in 8 bytes`);
      byteSize *= 2;
      byteOffset = wordOffset(path.bitOffset, byteSize);
    }
  }

  switch (kind) {
    case CoreRelocationKind.FIELD_BYTE_OFFSET:
      return { value: BigInt(byteOffset), exact: !bitfield, field: bitfield ? undefined : { size: byteSize, type } };
    case CoreRelocationKind.FIELD_BYTE_SIZE:
      return { ...plain(byteSize), exact: !bitfield };
    case CoreRelocationKind.FIELD_SIGNED:
      return plain("signed" in type && type.signed ? 1 : 0);
    case CoreRelocationKind.FIELD_LSHIFT_U64: {
      const bits = path.bitOffset - byteOffset * 8;
      const shift = btf.byteOrder === "little" ? 64 - bits - bitSize : (8 - byteSize) * 8 + bits;
      return { ...plain(shift), exact: !bitfield };
    }
    default:
      return plain(64 - bitSize);
  }
}

function wordOffset(bitOffset: number, wordSize: number): number {
  return Math.floor(bitOffset / 8 / wordSize) * wordSize;
}
