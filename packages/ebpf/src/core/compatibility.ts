// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { essentialName } from "../btf/essential-name.ts";
import { BtfKind, type BtfType } from "../btf/types.ts";

/** Whether two kinds can stand for each other: the same, or both enums of whatever size. */
export function sameKind(a: BtfType, b: BtfType): boolean {
  return a.kind === b.kind || (isEnum(a) && isEnum(b));
}

function isEnum(type: BtfType): boolean {
  return type.kind === BtfKind.ENUM || type.kind === BtfKind.ENUM64;
}

/**
 * Whether a field of one type may be read as a field of the other (bpf_core_fields_are_compat,
 * tools/lib/bpf/relo_core.c): structs with structs, integers with integers of any size, pointers with pointers,
 * arrays by their elements, enums and forward declarations by name.
 */
export function fieldsCompatible(local: Btf, localId: number, target: Btf, targetId: number): boolean {
  let localType = local.typeById(local.resolve(localId));
  let targetType = target.typeById(target.resolve(targetId));
  // An array of itself would not end; sizeOf refuses those, and every array here has been measured.
  while (localType.kind === BtfKind.ARRAY && targetType.kind === BtfKind.ARRAY) {
    localType = local.typeById(local.resolve(localType.element));
    targetType = target.typeById(target.resolve(targetType.element));
  }
  if (isComposite(localType) && isComposite(targetType)) return true;
  if (!sameKind(localType, targetType)) return false;
  switch (localType.kind) {
    case BtfKind.PTR:
    case BtfKind.FLOAT:
      return true;
    case BtfKind.INT:
      return localType.bitOffset === 0 && targetType.kind === BtfKind.INT && targetType.bitOffset === 0;
    case BtfKind.FWD:
    case BtfKind.ENUM:
    case BtfKind.ENUM64: {
      const localName = essentialName(localType.name);
      const targetName = essentialName(targetType.name);
      return localName === "" || targetName === "" || localName === targetName;
    }
    default:
      return false;
  }
}

function isComposite(type: BtfType): boolean {
  return type.kind === BtfKind.STRUCT || type.kind === BtfKind.UNION;
}

/**
 * Whether two types are the same in kind all the way down through pointers, arrays and function prototypes;
 * members and names do not matter (bpf_core_types_are_compat, tools/lib/bpf/relo_core.c). `alike` says which kinds are
 * the same.
 */
export function typesCompatible(
  local: Btf,
  localId: number,
  target: Btf,
  targetId: number,
  alike: (a: BtfType, b: BtfType) => boolean = sameKind,
): boolean {
  // Pairs under way count as compatible: recursive types end, and shared ones are compared once.
  const compared = new Set<string>();
  const compare = (a: number, b: number): boolean => {
    const localResolved = local.resolve(a);
    const targetResolved = target.resolve(b);
    const pair = `${localResolved} ${targetResolved}`;
    if (compared.has(pair)) return true;
    compared.add(pair);
    const localType = local.typeById(localResolved);
    const targetType = target.typeById(targetResolved);
    if (!alike(localType, targetType)) return false;
    switch (localType.kind) {
      case BtfKind.VOID:
      case BtfKind.STRUCT:
      case BtfKind.UNION:
      case BtfKind.ENUM:
      case BtfKind.ENUM64:
      case BtfKind.FWD:
        return true;
      case BtfKind.INT:
        return localType.bitOffset === 0 && targetType.kind === BtfKind.INT && targetType.bitOffset === 0;
      case BtfKind.PTR:
        return targetType.kind === BtfKind.PTR && compare(localType.type, targetType.type);
      case BtfKind.ARRAY:
        return targetType.kind === BtfKind.ARRAY && compare(localType.element, targetType.element);
      case BtfKind.FUNC_PROTO:
        return (
          targetType.kind === BtfKind.FUNC_PROTO &&
          localType.parameters.length === targetType.parameters.length &&
          localType.parameters.every((parameter, i) => compare(parameter.type, targetType.parameters[i]?.type ?? 0)) &&
          compare(localType.returns, targetType.returns)
        );
      default:
        return false;
    }
  };
  return compare(localId, targetId);
}
