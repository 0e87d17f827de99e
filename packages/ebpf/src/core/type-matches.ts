// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { essentialName } from "../btf/essential-name.ts";
import { type BtfComposite, type BtfEnum, BtfKind, type BtfType } from "../btf/types.ts";

/** How deep types are compared, as in the kernel (BPF_CORE_TYPES_MATCH_MAX_DEPTH). */
const MAXIMUM_DEPTH = 32;

/**
 * Whether the local type matches the target's (`bpf_core_type_matches`, clang 15; bpf_core_types_match in
 * kernel/bpf/btf.c): every member and enum value that the local type has is in the target, by name and with a
 * matching type; integers are of equal size and sign, arrays of equal length. Structs behind pointers match by
 * name. Types nested more than 32 deep do not match.
 *
 * Names of integers count too, here as in the kernel and in libbpf: clang's `unsigned long` is not the
 * `long unsigned int` of a kernel that gcc compiled, and a type that holds one does not match there.
 */
export function typeMatches(local: Btf, localId: number, target: Btf, targetId: number): boolean {
  // Every pair is compared once: hostile types hold each other in so many ways that it would not end otherwise.
  const known = new Map<string, boolean>();
  const compare = (x: number, y: number, behindPointer: boolean, depth: number): boolean => {
    if (depth === 0) return false;
    const a = local.resolve(x);
    const b = target.resolve(y);
    const pair = `${a} ${b} ${behindPointer}`;
    let result = known.get(pair);
    if (result === undefined) {
      const inner: Inner = (p, q, pointer = behindPointer) => compare(p, q, pointer, depth - 1);
      result = typesMatch(local.typeById(a), target.typeById(b), behindPointer, inner);
      known.set(pair, result);
    }
    return result;
  };
  return compare(localId, targetId, false, MAXIMUM_DEPTH);
}

/** Compares what two types are made of. */
type Inner = (local: number, target: number, behindPointer?: boolean) => boolean;

function typesMatch(a: BtfType, b: BtfType, behindPointer: boolean, inner: Inner): boolean {
  if (!namesMatch(a.name, b.name)) return false;
  switch (a.kind) {
    case BtfKind.VOID:
      return b.kind === BtfKind.VOID;
    case BtfKind.FWD:
      if (b.kind === BtfKind.FWD) return a.union === b.union;
      return behindPointer && b.kind === (a.union ? BtfKind.UNION : BtfKind.STRUCT);
    case BtfKind.ENUM:
    case BtfKind.ENUM64:
      return "values" in b && enumsMatch(a, b);
    case BtfKind.STRUCT:
    case BtfKind.UNION:
      if (!behindPointer) return isSame(a, b) && compositesMatch(a, b, inner);
      if (b.kind === BtfKind.FWD) return b.union === (a.kind === BtfKind.UNION);
      return a.kind === b.kind;
    case BtfKind.INT:
      return b.kind === BtfKind.INT && a.size === b.size && a.signed === b.signed;
    case BtfKind.PTR:
      return b.kind === BtfKind.PTR && inner(a.type, b.type, true);
    case BtfKind.ARRAY:
      return b.kind === BtfKind.ARRAY && a.length === b.length && inner(a.element, b.element);
    case BtfKind.FUNC_PROTO:
      return (
        b.kind === BtfKind.FUNC_PROTO &&
        a.parameters.length === b.parameters.length &&
        a.parameters.every((parameter, i) => inner(parameter.type, b.parameters[i]?.type ?? 0)) &&
        inner(a.returns, b.returns)
      );
    default:
      return false;
  }
}

function isSame(a: BtfComposite, b: BtfType): b is BtfComposite {
  return a.kind === b.kind;
}

function compositesMatch(a: BtfComposite, b: BtfComposite, inner: Inner): boolean {
  if (a.members.length > b.members.length) return false;
  return a.members.every((member) =>
    b.members.some((other) => namesMatch(member.name, other.name) && inner(member.type, other.type)),
  );
}

function enumsMatch(a: BtfEnum, b: BtfEnum): boolean {
  const names = new Set(b.values.map(({ name }) => essentialName(name)));
  return a.values.length <= b.values.length && a.values.every(({ name }) => names.has(essentialName(name)));
}

function namesMatch(a: string, b: string): boolean {
  return essentialName(a) === essentialName(b);
}
