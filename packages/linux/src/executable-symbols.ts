// SPDX-License-Identifier: Apache-2.0

import { ElfTables } from "./elf-tables.ts";

/** A function of an executable or a shared library. */
export interface ExecutableSymbol {
  readonly name: string;
  /** Where its code begins, in bytes from the beginning of the file: what uprobes take. */
  readonly offset: number;
  /** Bytes of code; 0 when the file does not tell. */
  readonly size: number;
}

const SHT_NOBITS = 8;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;

/**
 * The functions that a 64-bit little-endian ELF file defines, by name, from `.symtab` and `.dynsym`. Reads the tables
 * only, not the code. A name that occurs twice (static functions of several files) keeps its first place. Throws
 * RangeError when the file is not such an ELF file.
 */
export function executableSymbols(path: string): ReadonlyMap<string, ExecutableSymbol> {
  using file = new ElfTables(path);
  const found = new Map<string, ExecutableSymbol>();
  for (const { name, type, value, size, section } of file.symbols()) {
    const isFunction = type === STT_FUNC || type === STT_GNU_IFUNC;
    if (!isFunction || section.type === SHT_NOBITS || found.has(name)) continue;
    found.set(name, { name, offset: value - section.address + section.offset, size });
  }
  return found;
}
