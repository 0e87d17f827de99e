// SPDX-License-Identifier: Apache-2.0

import { ByteCursor, type ByteOrder } from "../cursor.ts";
import { MalformedError, NotSupportedError } from "../errors.ts";
import { StringTable } from "../string-table.ts";
import { type ElfFile, type ElfRelocation, type ElfSection, type ElfSymbol, SectionType } from "./elf-file.ts";
import { readRelocations } from "./read-relocations.ts";
import { readSymbols } from "./read-symbols.ts";

const HEADER_SIZE = 64;
const SECTION_HEADER_SIZE = 64;
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const ELFDATA2MSB = 2;
const ET_REL = 1;
const EM_NONE = 0;
const EM_BPF = 247;
/** `e_shnum` and `e_shstrndx` are 16 bits; past this they are stored in the null section. */
const SHN_XINDEX = 0xffff;

/**
 * Reads a relocatable ELF64 object for eBPF, of either byte order (e_machine 247; 0 is what old compilers
 * wrote). Sections are views of `bytes`, nothing is copied.
 *
 * Throws MalformedError with the place for whatever is truncated or inconsistent, and NotSupportedError for
 * well-formed objects of another class, machine or type.
 */
export function readElf(bytes: Uint8Array): ElfFile {
  const byteOrder = readIdentification(bytes);
  // A Node Buffer's slice() shares its memory: whoever copies a part of the file with it would write into the file.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = new ByteCursor(plain, byteOrder, "ELF header");
  header.require(0, HEADER_SIZE);
  const type = header.u16At(16);
  if (type !== ET_REL) throw new NotSupportedError(`an ELF file of type ${type} (wanted: 1, a relocatable object)`);
  const machine = header.u16At(18);
  if (machine !== EM_BPF && machine !== EM_NONE) {
    throw new NotSupportedError(`an ELF object for machine ${machine} (wanted: 247, eBPF)`);
  }

  const sections = readSections(header);
  refuseOverlaps(sections);
  const symbolTables = sections.filter((section) => section.type === SectionType.SYMTAB);
  if (symbolTables.length > 1)
    throw new MalformedError("section header table", undefined, "there are two symbol tables");
  const symbols = symbolTables[0] === undefined ? [] : readSymbols(symbolTables[0], sections, byteOrder);
  return new RelocatableObject(byteOrder, sections, symbols, symbolTables[0]?.index);
}

function readIdentification(bytes: Uint8Array): ByteOrder {
  const place = "ELF header";
  if (bytes.length < 16)
    throw new MalformedError(place, 0, `the file has ${bytes.length} bytes, the header has ${HEADER_SIZE}`);
  if (bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) {
    throw new MalformedError(place, 0, "this is not an ELF file");
  }
  if (bytes[4] !== ELFCLASS64) throw new NotSupportedError(`ELF class ${bytes[4]} (wanted: 2, 64-bit)`);
  if (bytes[5] !== ELFDATA2LSB && bytes[5] !== ELFDATA2MSB) {
    throw new MalformedError(place, 5, `byte order ${bytes[5]} is neither 1 (little) nor 2 (big)`);
  }
  if (bytes[6] !== 1) throw new MalformedError(place, 6, `version ${bytes[6]}, wanted 1`);
  return bytes[5] === ELFDATA2LSB ? "little" : "big";
}

function readSections(header: ByteCursor): ElfSection[] {
  const tableOffset = header.size64At(40);
  const entrySize = header.u16At(58);
  let count = header.u16At(60);
  let nameIndex = header.u16At(62);
  if (tableOffset === 0) throw header.malformed("there is no section header table", 40);
  if (entrySize !== SECTION_HEADER_SIZE)
    throw header.malformed(`section headers of ${entrySize} bytes, wanted ${SECTION_HEADER_SIZE}`, 58);

  const table = new ByteCursor(header.bytes, header.littleEndian ? "little" : "big", "section header table");
  table.require(tableOffset, SECTION_HEADER_SIZE);
  if (count === 0) count = table.size64At(tableOffset + 32);
  if (nameIndex === SHN_XINDEX) nameIndex = table.u32At(tableOffset + 40);
  table.require(tableOffset, count * SECTION_HEADER_SIZE);
  if (nameIndex >= count)
    throw header.malformed(`the names are in section ${nameIndex}, there are ${count} sections`, 62);

  const names = new StringTable(sectionBytes(table, tableOffset + nameIndex * SECTION_HEADER_SIZE), "section names");
  const sections: ElfSection[] = [];
  for (let index = 0; index < count; index++) {
    const at = tableOffset + index * SECTION_HEADER_SIZE;
    const type = table.u32At(at + 4);
    sections.push({
      index,
      name: index === 0 ? "" : names.name(table.u32At(at)),
      type,
      // The lower half of a 64-bit field.
      flags: table.u32At(at + (table.littleEndian ? 8 : 12)),
      size: table.size64At(at + 32),
      link: table.u32At(at + 40),
      info: table.u32At(at + 44),
      alignment: table.size64At(at + 48),
      entrySize: table.size64At(at + 56),
      bytes: index === 0 ? new Uint8Array(0) : sectionBytes(table, at),
    });
  }
  return sections;
}

function sectionBytes(table: ByteCursor, at: number): Uint8Array {
  if (table.u32At(at + 4) === SectionType.NOBITS) return table.bytes.subarray(0, 0);
  const offset = table.size64At(at + 24);
  const size = table.size64At(at + 32);
  if (offset + size > table.bytes.length) {
    throw table.malformed(
      `a section of ${size} bytes at byte ${offset} ends past the file of ${table.bytes.length}`,
      at,
    );
  }
  return table.bytes.subarray(offset, offset + size);
}

/**
 * Refuses sections that share bytes. No compiler writes them, and they would let a small file stand for a great
 * deal of work: a thousand headers over the same table.
 */
function refuseOverlaps(sections: readonly ElfSection[]): void {
  const filled = sections.filter((section) => section.bytes.length > 0);
  filled.sort((a, b) => a.bytes.byteOffset - b.bytes.byteOffset);
  for (let i = 1; i < filled.length; i++) {
    const before = filled[i - 1] as ElfSection;
    const section = filled[i] as ElfSection;
    if (before.bytes.byteOffset + before.bytes.length > section.bytes.byteOffset) {
      throw new MalformedError(
        "section header table",
        undefined,
        `sections "${before.name}" and "${section.name}" overlap`,
      );
    }
  }
}

class RelocatableObject implements ElfFile {
  readonly byteOrder: ByteOrder;
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  readonly #symbolTable: number | undefined;
  readonly #relocationSections = new Map<number, ElfSection>();

  constructor(
    byteOrder: ByteOrder,
    sections: readonly ElfSection[],
    symbols: readonly ElfSymbol[],
    symbolTable: number | undefined,
  ) {
    this.byteOrder = byteOrder;
    this.sections = sections;
    this.symbols = symbols;
    this.#symbolTable = symbolTable;
    for (const section of sections) {
      if (section.type !== SectionType.REL && section.type !== SectionType.RELA) continue;
      if (this.#relocationSections.has(section.info)) {
        throw new MalformedError(
          "section header table",
          undefined,
          `section ${section.info} has two relocation sections`,
        );
      }
      this.#relocationSections.set(section.info, section);
    }
  }

  relocationsOf(section: number): readonly ElfRelocation[] {
    const table = this.#relocationSections.get(section);
    return table === undefined ? [] : readRelocations(this, table, this.#symbolTable);
  }
}
