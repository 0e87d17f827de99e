// SPDX-License-Identifier: Apache-2.0

import { ByteCursor } from "../cursor.ts";
import { type ElfFile, type ElfRelocation, type ElfSection, SectionType } from "./elf-file.ts";

const REL_SIZE = 16;
const RELA_SIZE = 24;

/**
 * Reads a relocation section (`Elf64_Rel`: offset u64, type u32, symbol u32; `Elf64_Rela` adds an addend of 64
 * bits). The result is in ascending order of offset, and no two change the same place.
 */
export function readRelocations(file: ElfFile, section: ElfSection, symbolTable: number | undefined): ElfRelocation[] {
  const cursor = new ByteCursor(section.bytes, file.byteOrder, `relocation section "${section.name}"`);
  const entrySize = section.type === SectionType.REL ? REL_SIZE : RELA_SIZE;
  if (section.bytes.length % entrySize !== 0) {
    throw cursor.malformed(`${section.bytes.length} bytes are not a multiple of ${entrySize}`, undefined);
  }
  if (section.link !== symbolTable) {
    throw cursor.malformed(
      `its symbols are said to be in section ${section.link}, which is not the symbol table`,
      undefined,
    );
  }
  const size = file.sections[section.info]?.size ?? 0;
  const relocations: ElfRelocation[] = [];
  for (let at = 0; at < section.bytes.length; at += entrySize) {
    const offset = cursor.size64At(at);
    // r_info is one 64-bit number: symbol in the upper half, type in the lower.
    const type = cursor.u32At(at + (cursor.littleEndian ? 8 : 12));
    const symbolIndex = cursor.u32At(at + (cursor.littleEndian ? 12 : 8));
    const symbol = file.symbols[symbolIndex];
    if (symbol === undefined)
      throw cursor.malformed(`symbol ${symbolIndex} does not exist, there are ${file.symbols.length}`, at);
    if (offset >= size) throw cursor.malformed(`it changes byte ${offset} of a section of ${size}`, at);
    const addend = entrySize === RELA_SIZE ? Number(BigInt.asIntN(64, cursor.u64At(at + 16))) : undefined;
    relocations.push({ offset, symbol, type, addend });
  }
  relocations.sort((a, b) => a.offset - b.offset);
  for (let i = 1; i < relocations.length; i++) {
    if (relocations[i]?.offset === relocations[i - 1]?.offset) {
      throw cursor.malformed(`two relocations change byte ${relocations[i]?.offset}`, undefined);
    }
  }
  return relocations;
}
