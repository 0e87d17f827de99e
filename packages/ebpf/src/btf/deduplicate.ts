// SPDX-License-Identifier: Apache-2.0

import { MalformedError } from "../errors.ts";
import type { Btf } from "./btf.ts";
import { BtfBuilder } from "./btf-builder.ts";
import { mapReferences } from "./map-references.ts";
import { BtfKind, type BtfType } from "./types.ts";

/** Rounds that tell types apart: as many as the longest chain of references that differ at their far end alone. */
const MAXIMUM_ROUNDS = 1000;

/** What {@link deduplicateBtf} gives. */
export interface DeduplicatedBtf {
  /** The types that are left, each once, in their old order. */
  readonly bytes: Uint8Array;
  /** The new id of every old one. */
  readonly ids: Uint32Array;
}

/**
 * Leaves one of each type: those that are equal in all that they are made of, however deep and also where they refer
 * to themselves. A forward declaration becomes the struct or union of its name when all of that name are equal.
 * Variables and data sections stay as they are: those of equal names may be different ones.
 *
 * Equality is the coarsest bisimulation, by partition refinement: types begin as equal when their own parts are, and
 * are told apart when what they refer to is, until nothing changes. Throws what decoding the types throws, and MalformedError
 * for chains of more than 1000 references.
 */
export function deduplicateBtf(btf: Btf): DeduplicatedBtf {
  const types = Array.from({ length: btf.typeCount }, (_, id) => btf.typeById(id));
  const references = types.map(referencesOf);
  const shapes = firstClasses(types);
  const definitions = definitionsByTag(types);
  let redirected = redirectForwards(types, definitions);
  let classes = refine(shapes, references, redirected);
  // A name that stands for different types says nothing about what a forward declaration means.
  for (;;) {
    let changed = false;
    for (const [tag, ids] of definitions) {
      if (new Set(ids.map((id) => classes[id])).size <= 1) continue;
      definitions.delete(tag);
      changed = true;
    }
    if (!changed) break;
    redirected = redirectForwards(types, definitions);
    classes = refine(shapes, references, redirected);
  }
  return build(btf, types, classes, redirected);
}

function referencesOf(type: BtfType): number[] {
  const ids: number[] = [];
  mapReferences(type, (id) => ids.push(id));
  return ids;
}

/** Numbers types by all that they are but for what they refer to. */
function firstClasses(types: readonly BtfType[]): Uint32Array {
  const numbers = new Map<string, number>();
  return Uint32Array.from(types, (type, id) => {
    const own = type.kind === BtfKind.VAR || type.kind === BtfKind.DATASEC;
    const shape = own
      ? `own ${id}`
      : JSON.stringify(
          mapReferences(type, () => 0),
          (_, value) => (typeof value === "bigint" ? `${value}n` : value),
        );
    return numberOf(numbers, shape);
  });
}

function definitionsByTag(types: readonly BtfType[]): Map<string, number[]> {
  const definitions = new Map<string, number[]>();
  for (const [id, type] of types.entries()) {
    if (!("members" in type) || type.name === "") continue;
    const tag = `${type.kind === BtfKind.UNION} ${type.name}`;
    const ids = definitions.get(tag);
    if (ids === undefined) definitions.set(tag, [id]);
    else ids.push(id);
  }
  return definitions;
}

/** For each type itself, and for a forward declaration what it means when that is known. */
function redirectForwards(types: readonly BtfType[], definitions: ReadonlyMap<string, readonly number[]>): Uint32Array {
  return Uint32Array.from(types, (type, id) =>
    type.kind === BtfKind.FWD ? (definitions.get(`${type.union} ${type.name}`)?.[0] ?? id) : id,
  );
}

function refine(shapes: Uint32Array, references: readonly (readonly number[])[], redirected: Uint32Array): Uint32Array {
  let classes = shapes;
  let count = 0;
  for (let round = 0; round < MAXIMUM_ROUNDS; round++) {
    const numbers = new Map<string, number>();
    const before = classes;
    const classOf = (id: number): number => before[redirected[id] ?? id] ?? 0;
    const next = Uint32Array.from(before, (_, id) => {
      const own = redirected[id] ?? id;
      return numberOf(numbers, `${before[own]} ${references[own]?.map(classOf).join(" ")}`);
    });
    // Classes only ever split, so an equal number of them means equal classes.
    if (numbers.size === count) return next;
    count = numbers.size;
    classes = next;
  }
  throw new MalformedError(
    "BTF types",
    undefined,
    `types refer to each other in chains of more than ${MAXIMUM_ROUNDS}`,
  );
}

function numberOf(numbers: Map<string, number>, key: string): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  numbers.set(key, numbers.size);
  return numbers.size - 1;
}

function build(btf: Btf, types: readonly BtfType[], classes: Uint32Array, redirected: Uint32Array): DeduplicatedBtf {
  const newIds = new Map<number, number>([[classes[0] ?? 0, 0]]);
  const kept: BtfType[] = [];
  types.forEach((type, id) => {
    // A forward declaration that is resolved is not what stands for its class.
    if (id === 0 || redirected[id] !== id || newIds.has(classes[id] ?? 0)) return;
    kept.push(type);
    newIds.set(classes[id] ?? 0, kept.length);
  });
  const ids = Uint32Array.from(classes, (number) => newIds.get(number) ?? 0);
  const builder = new BtfBuilder(btf.byteOrder);
  // An id that is not in the table stays one that is not.
  for (const type of kept) builder.add(mapReferences(type, (id) => ids[id] ?? 0xffff_ffff));
  return { bytes: builder.build(), ids };
}
