// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { essentialName } from "../btf/essential-name.ts";
import { BtfKind, type BtfMember } from "../btf/types.ts";
import { type AccessPath, type AccessStep, isFlexible } from "./access-path.ts";
import { fieldsCompatible, typesCompatible } from "./compatibility.ts";
import { CoreRelocationKind, isEnumRelocation, isFieldRelocation } from "./relocation-kind.ts";
import { typeMatches } from "./type-matches.ts";

/**
 * Finds in `target` what `path` means in `local`, starting from the candidate type `candidate`: members by
 * name, through anonymous structs and unions wherever they are now, elements by index. Undefined when the
 * candidate has no such thing, or one of an incompatible type (bpf_core_spec_match, tools/lib/bpf/relo_core.c).
 */
export function matchAccess(
  local: Btf,
  path: AccessPath,
  target: Btf,
  candidate: number,
  kind: number,
): AccessPath | undefined {
  if (isEnumRelocation(kind)) return matchEnumValue(path, target, candidate);
  if (kind === CoreRelocationKind.TYPE_MATCHES) {
    return typeMatches(local, path.root, target, candidate) ? { root: candidate, steps: [], bitOffset: 0 } : undefined;
  }
  if (!isFieldRelocation(kind)) {
    return typesCompatible(local, path.root, target, candidate)
      ? { root: candidate, steps: [], bitOffset: 0 }
      : undefined;
  }
  const steps: AccessStep[] = [];
  let bitOffset = 0;
  let id = target.resolve(candidate);
  for (const step of path.steps) {
    id = target.resolve(id);
    if (step.name !== undefined) {
      const found = findMember(target, id, step.name, new Set());
      if (found === undefined) return undefined;
      const localType = local.typeById(step.typeId);
      const localMember = "members" in localType ? localType.members[step.index] : undefined;
      if (localMember === undefined || !fieldsCompatible(local, localMember.type, target, found.type)) return undefined;
      steps.push(found.step);
      bitOffset += found.bitOffset;
      id = found.type;
      continue;
    }
    // The first step counts whole structs; the others are elements of an array.
    if (steps.length > 0) {
      const array = target.typeById(id);
      if (array.kind !== BtfKind.ARRAY) return undefined;
      if (step.index >= array.length && !isFlexible(target, steps, array)) return undefined;
      id = target.resolve(array.element);
    }
    steps.push({ typeId: id, index: step.index, name: undefined });
    bitOffset += step.index * target.sizeOf(id) * 8;
  }
  return { root: candidate, steps, bitOffset };
}

function matchEnumValue(path: AccessPath, target: Btf, candidate: number): AccessPath | undefined {
  const id = target.resolve(candidate);
  const type = target.typeById(id);
  if (type.kind !== BtfKind.ENUM && type.kind !== BtfKind.ENUM64) return undefined;
  const wanted = essentialName(path.steps[0]?.name ?? "");
  const index = type.values.findIndex((value) => essentialName(value.name) === wanted);
  const value = type.values[index];
  return value === undefined
    ? undefined
    : { root: candidate, steps: [{ typeId: id, index, name: value.name }], bitOffset: 0 };
}

interface FoundMember {
  readonly step: AccessStep;
  readonly type: number;
  /** From the start of the type that was searched. */
  readonly bitOffset: number;
}

/** `searched` holds the types in which the name was not found: each is looked through once. */
function findMember(btf: Btf, id: number, name: string, searched: Set<number>): FoundMember | undefined {
  if (searched.has(id)) return undefined;
  searched.add(id);
  const type = btf.typeById(id);
  if (type.kind !== BtfKind.STRUCT && type.kind !== BtfKind.UNION) return undefined;
  const { members } = type;
  for (let index = 0; index < members.length; index++) {
    const member = members[index] as BtfMember;
    if (member.name === name) {
      return { step: { typeId: id, index, name }, type: member.type, bitOffset: member.bitOffset };
    }
    if (member.name !== "") continue;
    const inner = findMember(btf, btf.resolve(member.type), name, searched);
    if (inner !== undefined) return { ...inner, bitOffset: inner.bitOffset + member.bitOffset };
  }
  return undefined;
}
