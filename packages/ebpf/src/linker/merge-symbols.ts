// SPDX-License-Identifier: Apache-2.0

import { type ElfSymbol, SectionIndex, SymbolBinding, SymbolType, SymbolVisibility } from "../elf/elf-file.ts";
import type { NewSymbol } from "../elf/write-elf.ts";
import { NotSupportedError, ObjectConflictError } from "../errors.ts";
import { type LinkInput, naming } from "./link-input.ts";
import type { MergedSections, SectionPlace } from "./merge-sections.ts";
import { refuseUnlikeSymbols } from "./refuse-unlike-symbols.ts";
import type { SamePairs } from "./type-difference.ts";

/** A symbol that objects share by name: an occurrence of it, and where that lies; an extern lies nowhere. */
export interface Occurrence {
  readonly input: LinkInput;
  readonly symbol: ElfSymbol;
  readonly place: SectionPlace | undefined;
}

/** A global or weak symbol of the result. */
export interface GlobalSymbol {
  readonly name: string;
  /** What it stands for: its definition, or the first extern when no object defines it. */
  chosen: Occurrence;
  weak: boolean;
  visibility: number;
  /** Every occurrence, the chosen one too. */
  readonly occurrences: Occurrence[];
}

/**
 * The symbols of the result: one for each section, the local ones of every object under their own names, and one for
 * each name that objects share.
 *
 * A strong definition takes the place of weak ones, and of weak ones the first counts; the bytes of the others stay
 * where they are, without a name. An extern is weak when it is in every object. The narrowest visibility counts
 * (System V ABI, chapter 4).
 */
export class MergedSymbols {
  /** In the order of the table, the null symbol aside. */
  readonly list: readonly NewSymbol[];
  readonly globals: ReadonlyMap<string, GlobalSymbol>;
  readonly #indices = new Map<ElfSymbol, number>();
  readonly #samePairs: SamePairs = new Map();

  /** Throws ObjectConflictError for two strong definitions, and for symbols of one name and different types. */
  constructor(inputs: readonly LinkInput[], sections: MergedSections) {
    const list: NewSymbol[] = sections.sections.map(({ index }) => ({
      ...{ name: "", value: 0, size: 0, type: SymbolType.SECTION, section: index },
      ...{ binding: SymbolBinding.LOCAL, visibility: SymbolVisibility.DEFAULT },
    }));
    const globals = new Map<string, GlobalSymbol>();
    for (const input of inputs) naming(input.name, () => this.#addAll(input, sections, list, globals));
    for (const symbol of globals.values()) {
      list.push(written(symbol));
      for (const occurrence of symbol.occurrences) this.#indices.set(occurrence.symbol, list.length);
    }
    this.list = list;
    this.globals = globals;
  }

  /** The index in the result of an object's symbol; undefined for one of a section that is not linked. */
  indexOf(symbol: ElfSymbol): number | undefined {
    return this.#indices.get(symbol);
  }

  #addAll(input: LinkInput, sections: MergedSections, list: NewSymbol[], globals: Map<string, GlobalSymbol>): void {
    for (const symbol of input.elf.symbols) {
      if (symbol.index === 0 || symbol.type === SymbolType.FILE) continue;
      const extern = symbol.section === SectionIndex.UNDEFINED;
      if (symbol.section >= SectionIndex.RESERVED) {
        throw new NotSupportedError(`symbol "${symbol.name}" in the reserved section ${symbol.section}`);
      }
      const place = sections.placeOf(input.elf.sections[symbol.section]);
      if (place === undefined && !extern) continue;
      if (symbol.binding !== SymbolBinding.LOCAL) {
        addGlobal({ input, symbol, place }, globals, this.#samePairs);
      } else if (place !== undefined) {
        this.#indices.set(symbol, symbol.type === SymbolType.SECTION ? place.merged.index : list.length + 1);
        if (symbol.type === SymbolType.SECTION) continue;
        list.push({ ...symbol, section: place.merged.index, value: place.offset + symbol.value });
      }
    }
  }
}

function addGlobal(occurrence: Occurrence, globals: Map<string, GlobalSymbol>, samePairs: SamePairs): void {
  const { symbol } = occurrence;
  if (symbol.binding !== SymbolBinding.GLOBAL && symbol.binding !== SymbolBinding.WEAK) {
    throw new NotSupportedError(`binding ${symbol.binding} of symbol "${symbol.name}"`);
  }
  const weak = symbol.binding === SymbolBinding.WEAK;
  const known = globals.get(symbol.name);
  if (known === undefined) {
    const { name, visibility } = symbol;
    globals.set(name, { name, chosen: occurrence, weak, visibility, occurrences: [occurrence] });
    return;
  }
  const before = known.chosen;
  refuseUnlikeSymbols(before, occurrence, samePairs);
  known.occurrences.push(occurrence);
  known.visibility = narrower(known.visibility, symbol.visibility);
  if (occurrence.place === undefined) {
    if (before.place !== undefined) return;
    known.weak &&= weak;
    // Of externs the one that says where it is from says the most.
    if (sectionOf(before) === "" && sectionOf(occurrence) !== "") known.chosen = occurrence;
  } else if (before.place === undefined) {
    known.chosen = occurrence;
    known.weak = weak;
  } else if (known.weak && !weak) {
    known.chosen = occurrence;
    known.weak = false;
  } else if (!known.weak && !weak && !occurrence.place.repeated) {
    const names = [before.input.name, occurrence.input.name];
    throw new ObjectConflictError(`"${symbol.name}"`, names, `it is defined in ${names[0]} and in ${names[1]}`);
  }
}

function sectionOf({ input, symbol }: Occurrence): string {
  return input.types.get(symbol.name)?.section ?? "";
}

/** INTERNAL is the narrowest, then HIDDEN, PROTECTED and DEFAULT, which is 0. */
function narrower(a: number, b: number): number {
  if (a === SymbolVisibility.DEFAULT || b === SymbolVisibility.DEFAULT) return Math.max(a, b);
  return Math.min(a, b);
}

function written({ name, chosen, weak, visibility }: GlobalSymbol): NewSymbol {
  const { symbol, place } = chosen;
  return {
    ...{ name, visibility, size: symbol.size, type: symbol.type },
    binding: weak ? SymbolBinding.WEAK : SymbolBinding.GLOBAL,
    section: place?.merged.index ?? SectionIndex.UNDEFINED,
    value: (place?.offset ?? 0) + symbol.value,
  };
}
