// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { type BtfComposite, BtfKind } from "../btf/types.ts";
import {
  type SamePairs,
  type TypeDifference,
  type TypeReference,
  typeDifference,
  typeInWords,
} from "./type-difference.ts";

const NONE = "none";

/**
 * The first difference between two declarations of a map (the structs of `.maps`), or undefined when they declare the
 * same: equal numbers, and keys and values of equal types, or of equal size where one says no more.
 */
export function mapDifference(
  first: TypeReference,
  second: TypeReference,
  known: SamePairs = new Map(),
): TypeDifference | undefined {
  const a = fieldsOf(first);
  const b = fieldsOf(second);
  if (a === undefined || b === undefined) return typeDifference(first, second, known);
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const one = a.get(name);
    const other = b.get(name);
    const place = `field "${name}"`;
    if (one === undefined || other === undefined) {
      return { place, first: inWords(one), second: inWords(other) };
    }
    if (typeof one === "number" && typeof other === "number") {
      if (one !== other) return { place, first: String(one), second: String(other) };
      continue;
    }
    if (typeof one === "number" || typeof other === "number") {
      const sizes = [one, other].map((field) => (typeof field === "number" ? field : field.btf.sizeOf(field.id)));
      if (sizes[0] !== sizes[1]) return { place, first: `${sizes[0]} bytes`, second: `${sizes[1]} bytes` };
      continue;
    }
    const difference = typeDifference(one, other, known);
    if (difference !== undefined) {
      return { ...difference, place: difference.place === "" ? place : `${place}, ${difference.place}` };
    }
  }
  return undefined;
}

/** A number (`__uint`, and sizes), or a type. */
type Field = number | TypeReference;

function inWords(field: Field | undefined): string {
  if (field === undefined) return NONE;
  return typeof field === "number" ? String(field) : typeInWords(field);
}

/** What a declaration says; `key_size` and `value_size` under the names of what they measure. */
function fieldsOf({ btf, id }: TypeReference): Map<string, Field> | undefined {
  const type = btf.typeById(btf.resolve(id));
  if (type.kind !== BtfKind.STRUCT) return undefined;
  const fields = new Map<string, Field>();
  for (const member of type.members) {
    const field = fieldOf(btf, member);
    const name = typeof field === "number" ? member.name.replace(/^(key|value)_size$/, "$1") : member.name;
    // A type says more than its size.
    if (typeof field === "number" && typeof fields.get(name) === "object") continue;
    fields.set(name, field);
  }
  return fields;
}

/** `__uint(name, n)` is a pointer to an array of n, `__type(name, T)` a pointer to T. */
function fieldOf(btf: Btf, { name, type: id }: BtfComposite["members"][number]): Field {
  const pointer = btf.typeById(btf.resolve(id));
  if (pointer.kind !== BtfKind.PTR) return { btf, id };
  const target = btf.typeById(btf.resolve(pointer.type));
  const isType = name === "key" || name === "value";
  return target.kind === BtfKind.ARRAY && !isType ? target.length : { btf, id: pointer.type };
}
