// SPDX-License-Identifier: Apache-2.0

import { ByteCursor } from "../cursor.ts";
import { type ElfFile, type ElfSection, type ElfSymbol, SymbolType } from "../elf/elf-file.ts";
import { MalformedError } from "../errors.ts";
import type { MapSpec } from "../map-spec.ts";

/** `struct bpf_map_def`: type, key_size, value_size, max_entries and map_flags, 32 bits each. */
const DEFINITION_SIZE = 20;

/**
 * Reads the maps of all sections of `struct bpf_map_def`, by section index and byte offset. Each symbol is a map, and all
 * definitions of a section have the same size. Some loaders had longer ones: they are taken when what follows the five
 * fields is zero.
 *
 * Throws MalformedError when a section is not made of such definitions.
 */
export function readLegacyMaps(elf: ElfFile): Map<number, Map<number, MapSpec>> {
  const symbols = new Map<number, ElfSymbol[]>();
  for (const section of elf.sections) if (isLegacyMaps(section)) symbols.set(section.index, []);
  if (symbols.size === 0) return new Map();
  for (const symbol of elf.symbols) {
    if (symbol.type === SymbolType.OBJECT || symbol.type === SymbolType.NOTYPE)
      symbols.get(symbol.section)?.push(symbol);
  }
  return new Map([...symbols].map(([index, own]) => [index, readSection(elf, elf.sections[index] as ElfSection, own)]));
}

function isLegacyMaps({ name, size }: ElfSection): boolean {
  return size > 0 && (name === "maps" || name.startsWith("maps/"));
}

function readSection(elf: ElfFile, section: ElfSection, symbols: readonly ElfSymbol[]): Map<number, MapSpec> {
  const place = `section "${section.name}"`;
  const size = section.size / symbols.length;
  if (!Number.isInteger(size) || size < DEFINITION_SIZE) {
    const found = `${section.size} bytes for ${symbols.length} maps`;
    throw new MalformedError(place, undefined, `${found}, wanted as many for each, and at least ${DEFINITION_SIZE}`);
  }
  const maps = new Map<number, MapSpec>();
  const cursor = new ByteCursor(section.bytes, elf.byteOrder, place);
  for (const symbol of symbols) {
    if (symbol.value % size !== 0 || maps.has(symbol.value)) {
      throw new MalformedError(place, symbol.value, `map "${symbol.name}" does not lie where a definition begins`);
    }
    maps.set(symbol.value, readDefinition(cursor, symbol, size));
  }
  return maps;
}

function readDefinition(cursor: ByteCursor, { name, value: at }: ElfSymbol, size: number): MapSpec {
  for (let i = at + DEFINITION_SIZE; i < at + size; i++) {
    if (cursor.u8At(i) !== 0) {
      throw cursor.malformed(`map "${name}": its definition goes on with fields that are not known here`, i);
    }
  }
  return {
    name,
    type: cursor.u32At(at),
    keySize: cursor.u32At(at + 4),
    valueSize: cursor.u32At(at + 8),
    maxEntries: cursor.u32At(at + 12),
    flags: cursor.u32At(at + 16),
    extra: 0n,
    pinning: "none",
    keyTypeId: 0,
    valueTypeId: 0,
  };
}
