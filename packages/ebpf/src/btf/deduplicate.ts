// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "./btf.ts";
import { BtfBuilder } from "./btf-builder.ts";
import { coarsestPartition } from "./coarsest-partition.ts";
import { mapReferences } from "./map-references.ts";
import { BtfKind, type BtfType } from "./types.ts";

/**
 * How often forward declarations are resolved anew after some turned out to mean nothing certain. Two or three times
 * are usual; types that were made to need more keep all their forward declarations.
 */
const MAXIMUM_ATTEMPTS = 16;
const NO_SHAPE = 0xffff_ffff;

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
 * are told apart when what they refer to is, until nothing changes. Throws what decoding the types throws.
 */
export function deduplicateBtf(btf: Btf): DeduplicatedBtf {
  const builder = new BtfBuilder(btf.byteOrder);
  const types = Array.from({ length: btf.typeCount }, (_, id) => btf.typeById(id));
  const ids = addDeduplicated(types, builder);
  return { bytes: builder.build(), ids };
}

/**
 * Does the work of {@link deduplicateBtf} for types in a list, by id, and adds what is left to a builder that has
 * none yet. Gives the new id of every old one.
 */
export function addDeduplicated(types: readonly BtfType[], builder: BtfBuilder): Uint32Array {
  const references = types.map(referencesOf);
  const shapes = firstClasses(types);
  const definitions = definitionsByTag(types);
  let redirected = redirectForwards(types, definitions);
  let classes = refine(shapes, references, redirected);
  // A name that stands for different types says nothing about what a forward declaration means.
  for (let attempts = 1; dropUncertain(definitions, classes); attempts++) {
    if (attempts === MAXIMUM_ATTEMPTS) definitions.clear();
    redirected = redirectForwards(types, definitions);
    classes = refine(shapes, references, redirected);
  }
  return build(types, classes, redirected, builder);
}

/** Drops the names of which there are different types; gives whether there were any. */
function dropUncertain(definitions: Map<string, readonly number[]>, classes: Uint32Array): boolean {
  const before = definitions.size;
  for (const [tag, ids] of definitions) {
    if (ids.some((id) => classes[id] !== classes[ids[0] ?? 0])) definitions.delete(tag);
  }
  return definitions.size < before;
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

/** Classes of equal types. Ids that are in no table are equal to each other and to nothing else. */
function refine(shapes: Uint32Array, references: readonly (readonly number[])[], redirected: Uint32Array): Uint32Array {
  const missing = shapes.length;
  const withMissing = new Uint32Array(missing + 1);
  withMissing.set(shapes);
  withMissing[missing] = NO_SHAPE;
  const targets = references.map((ids, id) =>
    // What is resolved stands for another, and has no part of its own.
    redirected[id] === id ? ids.map((reference) => redirected[reference] ?? missing) : [],
  );
  const classes = coarsestPartition(withMissing, [...targets, []]);
  return redirected.map((id) => classes[id] ?? 0);
}

function numberOf(numbers: Map<string, number>, key: string): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  numbers.set(key, numbers.size);
  return numbers.size - 1;
}

function build(
  types: readonly BtfType[],
  classes: Uint32Array,
  redirected: Uint32Array,
  builder: BtfBuilder,
): Uint32Array {
  const newIds = new Map<number, number>([[classes[0] ?? 0, 0]]);
  const kept: BtfType[] = [];
  types.forEach((type, id) => {
    // A forward declaration that is resolved is not what stands for its class.
    if (id === 0 || redirected[id] !== id || newIds.has(classes[id] ?? 0)) return;
    kept.push(type);
    newIds.set(classes[id] ?? 0, kept.length);
  });
  const ids = Uint32Array.from(classes, (number) => newIds.get(number) ?? 0);
  // An id that is not in the table stays one that is not.
  for (const type of kept) builder.add(mapReferences(type, (id) => ids[id] ?? 0xffff_ffff));
  return ids;
}
