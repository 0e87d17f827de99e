// SPDX-License-Identifier: Apache-2.0

import {
  type ElfFile,
  type ElfRelocation,
  type ElfSection,
  SectionFlag,
  SectionType,
  SymbolBinding,
  SymbolType,
} from "../elf/elf-file.ts";
import { MalformedError } from "../errors.ts";
import { INSTRUCTION_SIZE } from "../instruction.ts";

/** A function of an object: a program, or what programs call. */
export interface ObjectFunction {
  readonly name: string;
  /** Whether it is visible outside its object: a program when it does not lie in `.text`. */
  readonly global: boolean;
  readonly section: CodeSection;
  /** First slot in the section, and how many there are. */
  readonly start: number;
  readonly length: number;
}

/** A section of instructions. */
export interface CodeSection {
  readonly section: ElfSection;
  /** In ascending order of offset; they do not overlap. */
  readonly functions: readonly ObjectFunction[];
  /** The function that begins at a slot. */
  readonly functionAt: ReadonlyMap<number, ObjectFunction>;
  /** By slot. */
  readonly relocations: ReadonlyMap<number, ElfRelocation>;
}

/** Finds the functions of every section of instructions, by section index. */
export function readCode(elf: ElfFile): Map<number, CodeSection> {
  const symbolsBySection = new Map<number, (typeof elf.symbols)[number][]>();
  for (const section of elf.sections) {
    if (section.type === SectionType.PROGBITS && (section.flags & SectionFlag.EXECINSTR) !== 0 && section.size > 0) {
      symbolsBySection.set(section.index, []);
    }
  }
  for (const symbol of elf.symbols) {
    if (symbol.type === SymbolType.FUNC) symbolsBySection.get(symbol.section)?.push(symbol);
  }

  const code = new Map<number, CodeSection>();
  for (const [index, symbols] of symbolsBySection) {
    const section = elf.sections[index] as ElfSection;
    const place = `section "${section.name}"`;
    if (section.size % INSTRUCTION_SIZE !== 0) {
      throw new MalformedError(place, undefined, `${section.size} bytes are not a multiple of ${INSTRUCTION_SIZE}`);
    }
    symbols.sort((a, b) => a.value - b.value || a.index - b.index);
    const functions: ObjectFunction[] = [];
    const functionAt = new Map<number, ObjectFunction>();
    const entry: CodeSection = { section, functions, functionAt, relocations: readCodeRelocations(elf, section) };
    let end = 0;
    for (const symbol of symbols) {
      const { name, value, size } = symbol;
      if (value % INSTRUCTION_SIZE !== 0 || size % INSTRUCTION_SIZE !== 0 || size === 0) {
        throw new MalformedError(place, value, `function "${name}" of ${size} bytes is not made of whole instructions`);
      }
      if (value < end) throw new MalformedError(place, value, `function "${name}" overlaps the one before it`);
      end = value + size;
      const start = value / INSTRUCTION_SIZE;
      const fn = {
        name,
        global: symbol.binding !== SymbolBinding.LOCAL,
        section: entry,
        start,
        length: size / INSTRUCTION_SIZE,
      };
      functions.push(fn);
      functionAt.set(start, fn);
    }
    code.set(index, entry);
  }
  return code;
}

function readCodeRelocations(elf: ElfFile, section: ElfSection): Map<number, ElfRelocation> {
  const relocations = new Map<number, ElfRelocation>();
  for (const relocation of elf.relocationsOf(section.index)) {
    if (relocation.offset % INSTRUCTION_SIZE !== 0) {
      throw new MalformedError(
        `relocations of "${section.name}"`,
        relocation.offset,
        "it does not change the start of an instruction",
      );
    }
    relocations.set(relocation.offset / INSTRUCTION_SIZE, relocation);
  }
  return relocations;
}
