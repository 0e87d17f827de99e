// SPDX-License-Identifier: Apache-2.0

import { BtfBuilder } from "../btf/btf-builder.ts";
import { addDeduplicated } from "../btf/deduplicate.ts";
import { mapReferences } from "../btf/map-references.ts";
import { type BtfDataSection, BtfKind, type BtfSectionVariable, type BtfType } from "../btf/types.ts";
import type { ByteOrder } from "../cursor.ts";
import { MalformedError } from "../errors.ts";
import { type LinkInput, naming } from "./link-input.ts";
import type { MergedSections } from "./merge-sections.ts";
import type { GlobalSymbol } from "./merge-symbols.ts";

/** The types of the result. */
export interface MergedTypes {
  readonly builder: BtfBuilder;
  /** The new id of a type of an object. */
  idOf(input: LinkInput, id: number): number;
}

const VOID: BtfType = { kind: BtfKind.VOID, name: "" };
/** What an id that is in no table becomes. */
const NO_TYPE = 0xffff_ffff;

/**
 * Merges the types of all objects, each once. Of the variables and functions that they share one is left, that of the
 * definition; the data sections of one name become one, with the offsets of the result.
 */
export function mergeTypes(
  inputs: readonly LinkInput[],
  sections: MergedSections,
  globals: ReadonlyMap<string, GlobalSymbol>,
  byteOrder: ByteOrder,
): MergedTypes {
  return new TypeMerger(inputs, sections, globals).finish(byteOrder);
}

class TypeMerger {
  readonly #inputs: readonly LinkInput[];
  readonly #sections: MergedSections;
  readonly #globals: ReadonlyMap<string, GlobalSymbol>;
  /** What comes before the ids of an object's types when all objects' are counted through. */
  readonly #bases = new Map<LinkInput, number>();
  readonly #count: number;

  constructor(inputs: readonly LinkInput[], sections: MergedSections, globals: ReadonlyMap<string, GlobalSymbol>) {
    this.#inputs = inputs;
    this.#sections = sections;
    this.#globals = globals;
    let count = 1;
    for (const input of inputs) {
      this.#bases.set(input, count - 1);
      count += (input.btf?.typeCount ?? 1) - 1;
    }
    this.#count = count;
  }

  finish(byteOrder: ByteOrder): MergedTypes {
    const places = this.#numberTypes();
    const placeOf = (input: LinkInput, id: number): number => places[this.#through(input, id)] ?? NO_TYPE;
    const types: BtfType[] = [VOID];
    const dataSections = new Map<string, BtfSectionVariable[]>();
    for (const input of this.#inputs) {
      naming(input.name, () => {
        for (let id = 1; id < (input.btf?.typeCount ?? 0); id++) {
          const type = input.btf?.typeById(id) ?? VOID;
          if (type.kind === BtfKind.DATASEC) {
            const list = dataSections.get(type.name) ?? [];
            dataSections.set(type.name, list);
            for (const variable of this.#variablesOf(input, type)) {
              list.push({ ...variable, type: placeOf(input, variable.type) });
            }
          } else if (placeOf(input, id) === types.length) {
            types.push(
              this.#linked(
                input,
                mapReferences(type, (reference) => placeOf(input, reference)),
              ),
            );
          }
        }
      });
    }
    for (const [name, variables] of dataSections) {
      variables.sort((a, b) => a.offset - b.offset);
      types.push({ kind: BtfKind.DATASEC, name, size: this.#sections.byName(name)?.size ?? 0, variables });
    }
    const builder = new BtfBuilder(byteOrder);
    const ids = addDeduplicated(types, builder);
    return { builder, idOf: (input, id) => ids[placeOf(input, id)] ?? NO_TYPE };
  }

  /** An object's type id, with all objects' types counted through. */
  #through(input: LinkInput, id: number): number {
    if (id === 0) return 0;
    return id < (input.btf?.typeCount ?? 0) ? (this.#bases.get(input) ?? 0) + id : NO_TYPE;
  }

  /** Where each type comes in the list of all that are left; those that stand for the same share a place. */
  #numberTypes(): Uint32Array {
    const places = new Uint32Array(this.#count).fill(NO_TYPE);
    places[0] = 0;
    let next = 1;
    const shared: [through: number, by: number][] = [];
    for (const input of this.#inputs) {
      const representatives = this.#representatives(input);
      for (let id = 1; id < (input.btf?.typeCount ?? 0); id++) {
        if (input.btf?.kindOf(id) === BtfKind.DATASEC) continue;
        const through = this.#through(input, id);
        const by = representatives.get(id) ?? through;
        if (by === through) places[through] = next++;
        else shared.push([through, by]);
      }
    }
    for (const [through, by] of shared) places[through] = places[by] ?? NO_TYPE;
    return places;
  }

  /** For an object's shared variables and functions what stands for them, counted through. */
  #representatives(input: LinkInput): Map<number, number> {
    const representatives = new Map<number, number>();
    for (const [name, { id, kind }] of input.types) {
      const symbol = this.#globals.get(name);
      if (symbol === undefined) continue;
      const described = [symbol.chosen, ...symbol.occurrences].find(
        (occurrence) => occurrence.input.types.get(name)?.kind === kind,
      );
      const type = described?.input.types.get(name);
      if (described !== undefined && type !== undefined) {
        representatives.set(id, this.#through(described.input, type.id));
      }
    }
    return representatives;
  }

  /** What is an extern where it is described, and defined by an object that has no BTF, is an extern no more. */
  #linked(input: LinkInput, type: BtfType): BtfType {
    if ((type.kind !== BtfKind.VAR && type.kind !== BtfKind.FUNC) || type.linkage !== "extern") return type;
    const symbol = this.#globals.get(type.name);
    const defined = symbol?.chosen.place !== undefined && symbol.chosen.input !== input;
    return defined ? { ...type, linkage: "global" } : type;
  }

  /** The variables of an object's data section that are left, at their offsets in the result. */
  #variablesOf(input: LinkInput, section: BtfDataSection): BtfSectionVariable[] {
    const place = this.#sections.placeOfNamed(input, section.name);
    return section.variables.flatMap((variable) => {
      const type = input.btf?.typeById(variable.type);
      if (type?.kind !== BtfKind.VAR && type?.kind !== BtfKind.FUNC) {
        const message = `type ${variable.type} is in section "${section.name}" and is not a variable`;
        throw new MalformedError("BTF types", undefined, message);
      }
      const symbol = type.linkage === "static" ? undefined : this.#globals.get(type.name);
      if (symbol === undefined) {
        return place?.repeated === true ? [] : [{ ...variable, offset: variable.offset + (place?.offset ?? 0) }];
      }
      const { chosen } = symbol;
      if (chosen.input !== input) return [];
      // Bytes that the result holds once are described by what describes them in the object that they are from.
      if (place?.repeated === true && symbol.occurrences.every((each) => each.place?.repeated !== false)) return [];
      return [{ ...variable, offset: (chosen.place?.offset ?? 0) + chosen.symbol.value }];
    });
  }
}
