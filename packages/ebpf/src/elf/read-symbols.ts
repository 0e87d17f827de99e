// SPDX-License-Identifier: Apache-2.0

import { ByteCursor, type ByteOrder } from "../cursor.ts";
import { StringTable } from "../string-table.ts";
import { type ElfSection, type ElfSymbol, SectionIndex, SectionType } from "./elf-file.ts";

const SYMBOL_SIZE = 24;

/**
 * Reads a symbol table (`Elf64_Sym`: name u32, info u8, other u8, section u16, value u64, size u64). A symbol
 * must lie in its section. Section symbols have no name of their own and get their section's.
 */
export function readSymbols(table: ElfSection, sections: readonly ElfSection[], byteOrder: ByteOrder): ElfSymbol[] {
  const cursor = new ByteCursor(table.bytes, byteOrder, "symbol table");
  if (table.bytes.length % SYMBOL_SIZE !== 0) {
    throw cursor.malformed(`${table.bytes.length} bytes are not a multiple of ${SYMBOL_SIZE}`, undefined);
  }
  const strings = sections[table.link];
  if (strings === undefined || strings.type !== SectionType.STRTAB) {
    throw cursor.malformed(`its names are said to be in section ${table.link}, which is not a string table`, undefined);
  }
  const names = new StringTable(strings.bytes, "symbol names");

  const symbols: ElfSymbol[] = [];
  const count = table.bytes.length / SYMBOL_SIZE;
  for (let index = 0; index < count; index++) {
    const at = index * SYMBOL_SIZE;
    const info = cursor.u8At(at + 4);
    const section = cursor.u16At(at + 6);
    const value = cursor.size64At(at + 8);
    const size = cursor.size64At(at + 16);
    const nameOffset = cursor.u32At(at);
    const name = nameOffset === 0 ? (sections[section]?.name ?? "") : names.name(nameOffset);
    if (section !== SectionIndex.UNDEFINED && section < SectionIndex.RESERVED) {
      const home = sections[section];
      if (home === undefined)
        throw cursor.malformed(`symbol "${name}" is in section ${section}, there are ${sections.length}`, at);
      if (value + size > home.size) {
        throw cursor.malformed(
          `symbol "${name}" takes bytes ${value} to ${value + size} of section "${home.name}", which has ${home.size}`,
          at,
        );
      }
    }
    symbols.push({
      index,
      name,
      value,
      size,
      type: info & 0xf,
      binding: info >> 4,
      visibility: cursor.u8At(at + 5) & 3,
      section,
    });
  }
  return symbols;
}
