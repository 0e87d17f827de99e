// SPDX-License-Identifier: Apache-2.0

import { type ElfSection, SectionFlag, SectionType } from "../elf/elf-file.ts";
import { alignUp } from "../elf/write-elf.ts";
import { MalformedError, NotSupportedError, ObjectConflictError } from "../errors.ts";
import { INSTRUCTION_SIZE } from "../instruction.ts";
import { type LinkInput, naming } from "./link-input.ts";

/** Of these every object has the same, and the result has it once. */
const EQUAL_EVERYWHERE: ReadonlySet<string> = new Set(["license", "version"]);
/** The page size of every machine: more is asked for by no object, and only makes padding. */
const MAXIMUM_ALIGNMENT = 65_536;
/** Padding that a link may add; alignments are an object's own claim. */
const MAXIMUM_PADDING = 1 << 24;
/** BTF counts the bytes of a section in 32 bits. */
const MAXIMUM_SIZE = 0xffff_ffff;
/** Where reserved section indices begin, less the tables of symbols, strings and relocations. */
const MAXIMUM_SECTIONS = 30_000;

/** A section of one object, and where it begins in the section that it is part of. */
export interface SectionPart {
  readonly input: LinkInput;
  readonly section: ElfSection;
  readonly offset: number;
}

/** A section of the result. */
export interface MergedSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  alignment: number;
  size: number;
  /** By object in order; for sections that are the same everywhere the first has the contents. */
  readonly parts: SectionPart[];
}

/** Where a section of an object went. */
export interface SectionPlace {
  readonly merged: MergedSection;
  readonly offset: number;
  /** Whether it is another object's equal section that the result holds in its place. */
  readonly repeated: boolean;
}

/** The sections of the result and what became of those of the objects. */
export class MergedSections {
  readonly sections: MergedSection[] = [];
  readonly #byName = new Map<string, MergedSection>();
  readonly #places = new Map<ElfSection, SectionPlace>();
  readonly #named = new Map<LinkInput, Map<string, ElfSection>>();
  #padding = 0;

  /**
   * Appends what a loader reads of each object; throws ObjectConflictError for sections of equal name that are not
   * alike.
   */
  constructor(inputs: readonly LinkInput[]) {
    for (const input of inputs) naming(input.name, () => this.#addAll(input));
  }

  /** Where a section went; undefined for one that is not linked, such as debugging information. */
  placeOf(section: ElfSection | undefined): SectionPlace | undefined {
    return section === undefined ? undefined : this.#places.get(section);
  }

  /** Where the section of a name of an object went. */
  placeOfNamed(input: LinkInput, name: string): SectionPlace | undefined {
    return this.placeOf(this.#named.get(input)?.get(name));
  }

  byName(name: string): MergedSection | undefined {
    return this.#byName.get(name);
  }

  #addAll(input: LinkInput): void {
    const named = new Map<string, ElfSection>();
    this.#named.set(input, named);
    for (const section of input.elf.sections) {
      if (!isLinked(section)) continue;
      if (named.has(section.name)) {
        throw new MalformedError("section header table", undefined, `there are two sections "${section.name}"`);
      }
      named.set(section.name, section);
      this.#add(input, section);
    }
  }

  #add(input: LinkInput, section: ElfSection): void {
    const alignment = alignmentOf(section);
    const merged = this.#mergedFor(section);
    const first = merged.parts[0];
    if (first !== undefined) refuseUnlike(first, input, section, merged);
    if (first !== undefined && EQUAL_EVERYWHERE.has(section.name)) {
      refuseUnequal(first, input, section);
      this.#places.set(section, { merged, offset: 0, repeated: true });
      return;
    }
    const offset = alignUp(merged.size, alignment);
    if (section.type !== SectionType.NOBITS) this.#padding += offset - merged.size;
    if (this.#padding > MAXIMUM_PADDING) {
      throw new MalformedError(
        `section "${section.name}"`,
        undefined,
        "the sections are aligned beyond all proportion",
      );
    }
    merged.alignment = Math.max(merged.alignment, alignment);
    merged.size = offset + section.size;
    if (merged.size > MAXIMUM_SIZE) {
      throw new MalformedError(`section "${section.name}"`, undefined, `${merged.size} bytes are more than 4 GiB`);
    }
    merged.parts.push({ input, section, offset });
    this.#places.set(section, { merged, offset, repeated: false });
  }

  #mergedFor({ name, type, flags }: ElfSection): MergedSection {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    if (this.sections.length === MAXIMUM_SECTIONS)
      throw new NotSupportedError(`more than ${MAXIMUM_SECTIONS} sections`);
    const index = this.sections.length + 1;
    // Entries of equal content are not merged, so that they keep their places.
    const kept = flags & (SectionFlag.WRITE | SectionFlag.ALLOC | SectionFlag.EXECINSTR);
    const merged: MergedSection = { index, name, type, flags: kept, alignment: 1, size: 0, parts: [] };
    this.#byName.set(name, merged);
    this.sections.push(merged);
    return merged;
  }
}

/** What is in memory is what loaders read; types are merged by themselves. */
function isLinked({ type, flags, size }: ElfSection): boolean {
  return (
    (type === SectionType.PROGBITS || type === SectionType.NOBITS) && (flags & SectionFlag.ALLOC) !== 0 && size > 0
  );
}

function alignmentOf({ name, alignment, flags, size }: ElfSection): number {
  const wanted = Math.max(alignment, 1);
  if (wanted > MAXIMUM_ALIGNMENT || !Number.isInteger(Math.log2(wanted))) {
    throw new MalformedError(
      `section "${name}"`,
      undefined,
      `an alignment of ${alignment}, wanted a power of two to ${MAXIMUM_ALIGNMENT}`,
    );
  }
  if ((flags & SectionFlag.EXECINSTR) === 0) return wanted;
  if (size % INSTRUCTION_SIZE !== 0) {
    throw new MalformedError(`section "${name}"`, undefined, `${size} bytes are not a multiple of ${INSTRUCTION_SIZE}`);
  }
  return Math.max(wanted, INSTRUCTION_SIZE);
}

function refuseUnlike(first: SectionPart, input: LinkInput, section: ElfSection, merged: MergedSection): void {
  const kept = section.flags & (SectionFlag.WRITE | SectionFlag.ALLOC | SectionFlag.EXECINSTR);
  if (section.type === merged.type && kept === merged.flags) return;
  throw new ObjectConflictError(
    `section "${section.name}"`,
    [first.input.name, input.name],
    `it is ${describe(merged.type, merged.flags)} in ${first.input.name}, ${describe(section.type, kept)} in ${input.name}`,
  );
}

function describe(type: number, flags: number): string {
  if ((flags & SectionFlag.EXECINSTR) !== 0) return "code";
  return `${type === SectionType.NOBITS ? "zeroes" : "data"}${(flags & SectionFlag.WRITE) === 0 ? ", read-only" : ""}`;
}

function refuseUnequal(first: SectionPart, input: LinkInput, section: ElfSection): void {
  const { bytes } = first.section;
  if (bytes.length === section.bytes.length && bytes.every((byte, i) => byte === section.bytes[i])) return;
  const text = (contents: Uint8Array): string =>
    section.name === "license" ? JSON.stringify(textOf(contents)) : contents.join(" ");
  throw new ObjectConflictError(
    section.name,
    [first.input.name, input.name],
    `it is ${text(bytes)} in ${first.input.name}, ${text(section.bytes)} in ${input.name}`,
  );
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, 64)).replace(/\0[\s\S]*$/, "");
}
