// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { type BtfArray, BtfKind } from "../btf/types.ts";
import { MalformedError } from "../errors.ts";
import type { CoreRelocation } from "../program-spec.ts";
import { isEnumRelocation, isFieldRelocation } from "./relocation-kind.ts";

/** BPF_CORE_SPEC_MAX_LEN of the kernel. */
const MAXIMUM_STEPS = 64;

/** A step of an access. Anonymous structs and unions that lie between are no steps of their own. */
export interface AccessStep {
  /** The struct, union or enum that is stepped into, or, for a step by index, the element's type. */
  readonly typeId: number;
  /** Of the member, enum value or element. */
  readonly index: number;
  /** Of the member or enum value; undefined for a step by index. */
  readonly name: string | undefined;
}

/** What a relocation is about, in the terms of one BTF. */
export interface AccessPath {
  /** The type as the relocation names it, typedefs included. */
  readonly root: number;
  readonly steps: readonly AccessStep[];
  /** Where the access ends up, in bits from the start of the root. */
  readonly bitOffset: number;
}

/**
 * Reads the access string of a relocation in the object's own types: `0` for a type, the index of an enum's
 * value, or a path such as `0:1:2` where the first number counts whole structs, as in `&p[0].b.c`, and the
 * others are members and array elements. Throws MalformedError.
 */
export function readAccess(btf: Btf, relocation: CoreRelocation): AccessPath {
  const { access, kind, typeId } = relocation;
  const fail = (message: string): MalformedError =>
    new MalformedError("CO-RE relocation", undefined, `access "${access}" of type ${typeId}: ${message}`);
  if (!/^\d{1,9}(:\d{1,9})*$/.test(access)) throw fail("this is not a list of numbers");
  const indices = access.split(":").map(Number);
  if (indices.length > MAXIMUM_STEPS) throw fail(`more than ${MAXIMUM_STEPS} steps`);
  const [first = 0, ...rest] = indices;

  if (isEnumRelocation(kind)) {
    const id = btf.resolve(typeId);
    const type = btf.typeById(id);
    if (type.kind !== BtfKind.ENUM && type.kind !== BtfKind.ENUM64) throw fail("the type is not an enum");
    const value = type.values[first];
    if (value === undefined || rest.length > 0) throw fail(`the enum has ${type.values.length} values`);
    return { root: typeId, steps: [{ typeId: id, index: first, name: value.name }], bitOffset: 0 };
  }
  if (!isFieldRelocation(kind)) {
    if (access !== "0") throw fail("a type has no fields here");
    btf.typeById(typeId);
    return { root: typeId, steps: [], bitOffset: 0 };
  }

  let id = btf.resolve(typeId);
  const steps: AccessStep[] = [{ typeId: id, index: first, name: undefined }];
  let bitOffset = first * btf.sizeOf(id) * 8;
  for (const index of rest) {
    id = btf.resolve(id);
    const type = btf.typeById(id);
    if (type.kind === BtfKind.STRUCT || type.kind === BtfKind.UNION) {
      const member = type.members[index];
      if (member === undefined) throw fail(`"${type.name}" has ${type.members.length} members`);
      bitOffset += member.bitOffset;
      if (member.name !== "") steps.push({ typeId: id, index, name: member.name });
      id = member.type;
    } else if (type.kind === BtfKind.ARRAY) {
      if (index >= type.length && !isFlexible(btf, steps, type)) throw fail(`an array has ${type.length} elements`);
      id = btf.resolve(type.element);
      steps.push({ typeId: id, index, name: undefined });
      bitOffset += index * btf.sizeOf(id) * 8;
    } else {
      throw fail("it goes on where there is neither a struct nor an array");
    }
  }
  return { root: typeId, steps, bitOffset };
}

/** Whether an array is the last member of its struct and declared without a length, so that any index fits. */
export function isFlexible(btf: Btf, steps: readonly AccessStep[], array: BtfArray): boolean {
  const last = steps.at(-1);
  if (last?.name === undefined || array.length > 0) return false;
  const parent = btf.typeById(last.typeId);
  return (parent.kind === BtfKind.STRUCT || parent.kind === BtfKind.UNION) && last.index === parent.members.length - 1;
}

/** The access as C would write it, for messages: `task_struct.signal.pids[1]`. */
export function describeAccess(btf: Btf, path: AccessPath): string {
  const type = btf.typeById(path.root);
  const root = type.name === "" ? `type ${path.root}` : type.name;
  return path.steps
    .slice(path.steps[0]?.name === undefined ? 1 : 0)
    .reduce((text, step) => text + (step.name === undefined ? `[${step.index}]` : `.${step.name}`), root);
}
