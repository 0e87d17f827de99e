// SPDX-License-Identifier: Apache-2.0

import { ElfTables } from "./elf-tables.ts";

/** A function of an executable or a shared library. */
export interface ExecutableSymbol {
  readonly name: string;
  /** Where its code begins, in bytes from the beginning of the file: what uprobes take. */
  readonly offset: number;
  /** Bytes of code; 0 when the file does not tell. */
  readonly size: number;
  /**
   * Whether this is not the function, but what chooses it for the processor when a program starts (`STT_GNU_IFUNC`): callers
   * never come here.
   */
  readonly indirect: boolean;
  /** Offsets of other functions of this name, each of which only a part of the file sees (`static`). */
  readonly others: readonly number[];
}

const SHT_NOBITS = 8;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;

/**
 * The functions that a 64-bit little-endian ELF file defines, by name, from `.symtab` and `.dynsym`. Reads the tables
 * only, not the code. Of several functions of a name the one that programs are linked with counts: not an old version of
 * it, and no static one. Throws RangeError when the file is not such an ELF file.
 */
export function executableSymbols(path: string): ReadonlyMap<string, ExecutableSymbol> {
  using file = new ElfTables(path);
  const found = new Map<string, Found>();
  for (const { name, type, value, size, section, local, old } of file.symbols()) {
    const indirect = type === STT_GNU_IFUNC;
    if ((type !== STT_FUNC && !indirect) || section.type === SHT_NOBITS) continue;
    const offset = value - section.address + section.offset;
    const rank = local ? 0 : old ? 1 : 2;
    const before = found.get(name);
    if (before === undefined || rank > before.rank) {
      found.set(name, { name, offset, size, indirect, others: [], rank });
    } else if (rank === before.rank && offset !== before.offset && !before.others.includes(offset)) {
      before.others.push(offset);
    }
  }
  return found;
}

interface Found extends ExecutableSymbol {
  readonly others: number[];
  /** The higher counts. */
  readonly rank: number;
}
