// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { type BtfExtension, readBtfExtension, type SectionExtension } from "../btf/btf-ext.ts";
import { writeBtfExtension } from "../btf/write-btf-ext.ts";
import type { ByteOrder } from "../cursor.ts";
import { SectionFlag } from "../elf/elf-file.ts";
import { MalformedError } from "../errors.ts";
import { INSTRUCTION_SIZE } from "../instruction.ts";
import { type LinkInput, naming } from "./link-input.ts";
import type { MergedSection, MergedSections, SectionPart } from "./merge-sections.ts";
import type { MergedTypes } from "./merge-types.ts";

/**
 * The .BTF.ext of the result: the records of every object, with new instructions, ids and strings. Adds strings to
 * the types.
 */
export function mergeExtensions(sections: MergedSections, types: MergedTypes, byteOrder: ByteOrder): Uint8Array {
  const merged = new Map<string, SectionExtension>();
  const strings = new MovedStrings(types);
  const code = sections.sections.filter(({ flags }) => (flags & SectionFlag.EXECINSTR) !== 0);
  const extensions = readExtensions(code);
  for (const section of code) merged.set(section.name, mergeSection(section, extensions, types, strings));
  return writeBtfExtension(merged, (text) => types.builder.string(text), byteOrder);
}

type Extensions = ReadonlyMap<LinkInput, BtfExtension>;

/** What each object says of its sections of code. */
function readExtensions(code: readonly MergedSection[]): Extensions {
  const names = new Set(code.map(({ name }) => name));
  const extensions = new Map<LinkInput, BtfExtension>();
  for (const { input } of code.flatMap(({ parts }) => parts)) {
    const { name, btf, extension } = input;
    if (btf === undefined || extension === undefined || extensions.has(input)) continue;
    extensions.set(
      input,
      naming(name, () => readBtfExtension(extension.bytes, btf, names)),
    );
  }
  return extensions;
}

function mergeSection(
  { name, parts }: MergedSection,
  extensions: Extensions,
  types: MergedTypes,
  strings: MovedStrings,
): SectionExtension {
  const merged = parts.map((part) => moved(part, extensions.get(part.input)?.get(name) ?? EMPTY, types, strings));
  return {
    functionInfo: merged.flatMap(({ functionInfo }) => functionInfo),
    lineInfo: merged.flatMap(({ lineInfo }) => lineInfo),
    coreRelocations: merged.flatMap(({ coreRelocations }) => coreRelocations),
  };
}

/** Sound tables hold each string once. */
const TEXT_FACTOR = 8;
const EMPTY: SectionExtension = { functionInfo: [], lineInfo: [], coreRelocations: [] };

function moved(
  { input, offset }: SectionPart,
  own: SectionExtension,
  types: MergedTypes,
  strings: MovedStrings,
): SectionExtension {
  const { btf } = input;
  if (btf === undefined) return EMPTY;
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
