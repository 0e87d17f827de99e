// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { readBtfExtension, type SectionExtension } from "../btf/btf-ext.ts";
import { writeBtfExtension } from "../btf/write-btf-ext.ts";
import type { ByteOrder } from "../cursor.ts";
import { SectionFlag } from "../elf/elf-file.ts";
import { MalformedError } from "../errors.ts";
import { INSTRUCTION_SIZE } from "../instruction.ts";
import { naming } from "./link-input.ts";
import type { MergedSection, MergedSections, SectionPart } from "./merge-sections.ts";
import type { MergedTypes } from "./merge-types.ts";

/**
 * The .BTF.ext of the result: the records of every object, with new instructions, ids and strings. Adds strings to
 * the types.
 */
export function mergeExtensions(sections: MergedSections, types: MergedTypes, byteOrder: ByteOrder): Uint8Array {
  const merged = new Map<string, SectionExtension>();
  const strings = new MovedStrings(types);
  for (const section of sections.sections) {
    if ((section.flags & SectionFlag.EXECINSTR) !== 0) merged.set(section.name, mergeSection(section, types, strings));
  }
  return writeBtfExtension(merged, (text) => types.builder.string(text), byteOrder);
}

function mergeSection({ name, parts }: MergedSection, types: MergedTypes, strings: MovedStrings): SectionExtension {
  const extensions = parts.map((part) => moved(part, name, types, strings));
  return {
    functionInfo: extensions.flatMap(({ functionInfo }) => functionInfo),
    lineInfo: extensions.flatMap(({ lineInfo }) => lineInfo),
    coreRelocations: extensions.flatMap(({ coreRelocations }) => coreRelocations),
  };
}

/** Sound tables hold each string once. */
const TEXT_FACTOR = 8;
const EMPTY: SectionExtension = { functionInfo: [], lineInfo: [], coreRelocations: [] };

function moved(
  { input, offset }: SectionPart,
  name: string,
  types: MergedTypes,
  strings: MovedStrings,
): SectionExtension {
  const { btf, extension } = input;
  if (btf === undefined || extension === undefined) return EMPTY;
  const own = naming(input.name, () => readBtfExtension(extension.bytes, btf, new Set([name])).get(name)) ?? EMPTY;
  const shift = offset / INSTRUCTION_SIZE;
  const string = (at: number): number => strings.move(btf, at);
  return naming(input.name, () => ({
    functionInfo: own.functionInfo.map(({ instruction, typeId }) => ({
      instruction: instruction + shift,
      typeId: types.idOf(input, typeId),
    })),
    lineInfo: own.lineInfo.map((line) => ({
      instruction: line.instruction + shift,
      fileNameOffset: string(line.fileNameOffset),
      lineOffset: string(line.lineOffset),
      lineColumn: line.lineColumn,
    })),
    coreRelocations: own.coreRelocations.map((relocation) => ({
      ...relocation,
      instruction: relocation.instruction + shift,
      typeId: types.idOf(input, relocation.typeId),
    })),
  }));
}

/**
 * The strings of lines, in the result. Strings may share bytes, so that a small table and many lines could stand for
 * gigabytes of text: all of it together is bounded by the size of the tables.
 */
class MovedStrings {
  readonly #types: MergedTypes;
  /** By table, then by offset in it. */
  readonly #known = new Map<Btf, Map<number, number>>();
  #budget = 0;

  constructor(types: MergedTypes) {
    this.#types = types;
  }

  move(btf: Btf, offset: number): number {
    let known = this.#known.get(btf);
    if (known === undefined) {
      known = new Map();
      this.#known.set(btf, known);
      this.#budget += btf.bytes.length * TEXT_FACTOR;
    }
    const before = known.get(offset);
    if (before !== undefined) return before;
    const text = btf.string(offset);
    this.#budget -= text.length;
    if (this.#budget < 0) {
      throw new MalformedError(".BTF.ext line_info", undefined, "its lines repeat their text beyond all proportion");
    }
    const place = this.#types.builder.string(text);
    known.set(offset, place);
    return place;
  }
}
