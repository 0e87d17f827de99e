// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { CDeclarations, MAXIMUM_NESTING } from "../btf/c/c-declaration.ts";
import { CLayouts } from "../btf/c/c-layout.ts";
import { CNames } from "../btf/c/c-names.ts";
import { type BtfComposite, type BtfEnum, type BtfFunctionProto, BtfKind, type BtfType } from "../btf/types.ts";
import { MalformedError } from "../errors.ts";

/** A type and the table that it is of. */
export interface TypeReference {
  readonly btf: Btf;
  readonly id: number;
}

/** Where two types differ, and what stands there in each. */
export interface TypeDifference {
  /** Such as `parameter 2` or `member "next"`; empty for the types themselves. */
  readonly place: string;
  readonly first: string;
  readonly second: string;
}

/** Pairs of types that are known to be the same, by their tables: a symbol's are looked at once, however many have it. */
export type SamePairs = Map<Btf, Map<Btf, Set<string>>>;

/**
 * The first difference between the types of a variable or function in two objects, or undefined when one may stand for
 * the other. Names of typedefs and parameters, and qualifiers, do not matter. Behind a pointer structs and enums are
 * the same when their names are: each object knows as much of them as it uses. An array without a length is as long
 * as the other. `known` is no longer right once there is a difference.
 * Throws MalformedError for types that nest too deep.
 */
export function typeDifference(
  first: TypeReference,
  second: TypeReference,
  known: SamePairs = new Map(),
): TypeDifference | undefined {
  return new Comparison(first.btf, second.btf, known).compare(first.id, second.id, "");
}

/** A type in C, in one line. */
export function typeInWords({ btf, id }: TypeReference): string {
  const names = new CNames(btf);
  return new CDeclarations(btf, names, new CLayouts(btf)).declare(id, "").replaceAll(/\s+/g, " ").trim();
}

class Comparison {
  readonly #first: Btf;
  readonly #second: Btf;
  /** Pairs that are the same or are being looked at: types that lead back to themselves are the same as far as that. */
  readonly #seen: Set<string>;
  #depth = 0;

  constructor(first: Btf, second: Btf, known: SamePairs) {
    this.#first = first;
    this.#second = second;
    const byOther = known.get(first) ?? new Map<Btf, Set<string>>();
    known.set(first, byOther);
    this.#seen = byOther.get(second) ?? new Set();
    byOther.set(second, this.#seen);
  }

  compare(firstId: number, secondId: number, place: string, pointed = false): TypeDifference | undefined {
    if (++this.#depth > MAXIMUM_NESTING) {
      throw new MalformedError(
        "BTF types",
        undefined,
        `type ${secondId}: types nest more than ${MAXIMUM_NESTING} deep`,
      );
    }
    const difference = this.#compare(firstId, secondId, place, pointed);
    this.#depth--;
    return difference;
  }

  #compare(firstId: number, secondId: number, place: string, pointed: boolean): TypeDifference | undefined {
    const a = this.#first.typeById(this.#first.resolve(firstId));
    const b = this.#second.typeById(this.#second.resolve(secondId));
    const key = `${this.#first.resolve(firstId)} ${this.#second.resolve(secondId)} ${pointed}`;
    if (this.#seen.has(key)) return undefined;
    this.#seen.add(key);
    const different = (): TypeDifference => ({
      place,
      first: typeInWords({ btf: this.#first, id: firstId }),
      second: typeInWords({ btf: this.#second, id: secondId }),
    });
    if (pointed && isTagged(a) && isTagged(b) && a.name !== "" && b.name !== "") {
      return a.name === b.name && tagOf(a) === tagOf(b) ? undefined : different();
    }
    if (a.kind !== b.kind) return different();
    switch (a.kind) {
      case BtfKind.PTR:
        return this.compare(a.type, (b as typeof a).type, within(place, "what it points to"), true);
      case BtfKind.ARRAY: {
        const other = b as typeof a;
        if (a.length !== other.length && a.length !== 0 && other.length !== 0) return different();
        return this.compare(a.element, other.element, within(place, "element"));
      }
      case BtfKind.STRUCT:
      case BtfKind.UNION:
        return sameHead(a, b as BtfComposite) ? this.#compareMembers(a, b as BtfComposite, place) : different();
      case BtfKind.FUNC_PROTO: {
        const other = b as BtfFunctionProto;
        return a.parameters.length === other.parameters.length ? this.#comparePrototypes(a, other, place) : different();
      }
      default:
        return sameLeaf(a, b) ? undefined : different();
    }
  }

  #compareMembers(a: BtfComposite, b: BtfComposite, place: string): TypeDifference | undefined {
    for (const [i, member] of a.members.entries()) {
      const other = b.members[i];
      if (other === undefined) continue;
      const here = within(place, `member "${member.name}"`);
      if (member.name !== other.name || member.bitOffset !== other.bitOffset || member.bitSize !== other.bitSize) {
        return { place: here, first: describeMember(member), second: describeMember(other) };
      }
      const difference = this.compare(member.type, other.type, here);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }

  #comparePrototypes(a: BtfFunctionProto, b: BtfFunctionProto, place: string): TypeDifference | undefined {
    for (const [i, parameter] of a.parameters.entries()) {
      const difference = this.compare(parameter.type, b.parameters[i]?.type ?? 0, within(place, `parameter ${i + 1}`));
      if (difference !== undefined) return difference;
    }
    return this.compare(a.returns, b.returns, within(place, "return value"));
  }
}

function within(place: string, part: string): string {
  return place === "" ? part : `${place}, ${part}`;
}

function isTagged(type: BtfType): boolean {
  return "members" in type || "values" in type || type.kind === BtfKind.FWD;
}

function tagOf(type: BtfType): "struct" | "union" | "enum" {
  if ("values" in type) return "enum";
  return type.kind === BtfKind.UNION || (type.kind === BtfKind.FWD && type.union) ? "union" : "struct";
}

function sameHead(a: BtfComposite, b: BtfComposite): boolean {
  return a.name === b.name && a.size === b.size && a.members.length === b.members.length;
}

function describeMember({ name, bitOffset, bitSize }: BtfComposite["members"][number]): string {
  return `"${name}" at bit ${bitOffset}${bitSize === 0 ? "" : `, ${bitSize} bits`}`;
}

/** For types that are made of no other. */
function sameLeaf(a: BtfType, b: BtfType): boolean {
  switch (a.kind) {
    case BtfKind.INT: {
      const other = b as typeof a;
      return a.size === other.size && a.bits === other.bits && a.signed === other.signed && a.bool === other.bool;
    }
    case BtfKind.FLOAT:
      return a.size === (b as typeof a).size;
    case BtfKind.ENUM:
    case BtfKind.ENUM64:
      return a.name === b.name && sameValues(a, b as BtfEnum);
    case BtfKind.FWD:
      return a.name === b.name && a.union === (b as typeof a).union;
    default:
      return true;
  }
}

function sameValues(a: BtfEnum, b: BtfEnum): boolean {
  return (
    a.size === b.size &&
    a.values.length === b.values.length &&
    a.values.every(({ name, value }, i) => name === b.values[i]?.name && value === b.values[i]?.value)
  );
}
