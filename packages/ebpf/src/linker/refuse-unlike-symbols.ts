// SPDX-License-Identifier: Apache-2.0

import { BtfKind } from "../btf/types.ts";
import { SymbolType as ElfSymbolType } from "../elf/elf-file.ts";
import { ObjectConflictError } from "../errors.ts";
import type { SymbolType } from "./link-input.ts";
import { mapDifference } from "./map-difference.ts";
import type { Occurrence } from "./merge-symbols.ts";
import { type SamePairs, typeDifference } from "./type-difference.ts";

const MAPS = ".maps";

/**
 * Throws ObjectConflictError when two symbols of one name cannot be one: a function and a variable, types that
 * differ, maps that are declared differently, or an extern of a section that the definition is not in. What an object
 * without BTF has can only be compared by its size.
 */
export function refuseUnlikeSymbols(first: Occurrence, second: Occurrence, known: SamePairs): void {
  const { name } = second.symbol;
  const objects = [first.input.name, second.input.name] as const;
  const conflict = (what: string, one: string, other: string): ObjectConflictError =>
    new ObjectConflictError(`"${name}"`, objects, `${what}${one} in ${objects[0]}, ${other} in ${objects[1]}`);

  const types = [first, second].map(({ input, symbol }) => input.types.get(symbol.name));
  const [a, b] = types;
  const kinds = [kindOf(first, a), kindOf(second, b)];
  if (kinds[0] !== undefined && kinds[1] !== undefined && kinds[0] !== kinds[1]) {
    throw conflict("it is ", kinds[0], kinds[1]);
  }
  const sections = [homeOf(first, a), homeOf(second, b)];
  if (sections[0] !== sections[1] && mustShareHome(first, second, sections)) {
    throw conflict("it is in section ", quoted(sections[0]), quoted(sections[1]));
  }
  const btfs = [first.input.btf, second.input.btf];
  if (a === undefined || b === undefined || btfs[0] === undefined || btfs[1] === undefined) {
    const defined = first.place !== undefined && second.place !== undefined;
    if (defined && kinds[0] === "a variable" && first.symbol.size !== second.symbol.size) {
      throw conflict("it has ", `${first.symbol.size} bytes`, `${second.symbol.size}`);
    }
    return;
  }
  const compare = sections[0] === MAPS && sections[1] === MAPS ? mapDifference : typeDifference;
  const difference = compare({ btf: btfs[0], id: a.type }, { btf: btfs[1], id: b.type }, known);
  if (difference === undefined) return;
  const place = difference.place === "" ? "it is " : `${difference.place} is `;
  throw conflict(place, difference.first, difference.second);
}

function kindOf({ symbol }: Occurrence, type: SymbolType | undefined): "a function" | "a variable" | undefined {
  if (symbol.type === ElfSymbolType.FUNC) return "a function";
  if (symbol.type === ElfSymbolType.OBJECT) return "a variable";
  if (type === undefined) return undefined;
  return type.kind === BtfKind.FUNC ? "a function" : "a variable";
}

/** The section that a symbol is defined in, or that an extern says it is from; empty when it does not say. */
function homeOf({ place }: Occurrence, type: SymbolType | undefined): string {
  return place?.merged.name ?? type?.section ?? "";
}

/** Two definitions may lie in different sections, as weak and strong ones do. */
function mustShareHome(first: Occurrence, second: Occurrence, sections: readonly (string | undefined)[]): boolean {
  if (sections.includes(MAPS)) return !sections.includes("");
  const bothDefined = first.place !== undefined && second.place !== undefined;
  return !bothDefined && !sections.includes("");
}

function quoted(section: string | undefined): string {
  return `"${section}"`;
}
