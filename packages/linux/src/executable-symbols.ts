// SPDX-License-Identifier: Apache-2.0

import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** A function of an executable or a shared library. */
export interface ExecutableSymbol {
  readonly name: string;
  /** Where its code begins, in bytes from the beginning of the file: what uprobes take. */
  readonly offset: number;
  /** Bytes of code; 0 when the file does not tell. */
  readonly size: number;
}

const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHT_DYNSYM = 11;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;
const headerSize = 64;
const sectionSize = 64;
const symbolSize = 24;

/**
 * The functions that a 64-bit little-endian ELF file defines, by name, from `.symtab` and `.dynsym`. Reads the tables
 * only, not the code. A name that occurs twice (static functions of several files) keeps its first place. Throws
 * RangeError when the file is not such an ELF file.
 */
export function executableSymbols(path: string): ReadonlyMap<string, ExecutableSymbol> {
  const file = openSync(path, "r");
  try {
    return readSymbols(file, fstatSync(file).size, path);
  } finally {
    closeSync(file);
  }
}

interface Section {
  readonly type: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

function readSymbols(file: number, fileSize: number, path: string): ReadonlyMap<string, ExecutableSymbol> {
  const at = (offset: number, size: number, what: string): Buffer => {
    if (offset + size > fileSize) throw new RangeError(`${path}: its ${what} ends beyond the file`);
    const bytes = Buffer.alloc(size);
    if (readSync(file, bytes, 0, size, offset) !== size) throw new RangeError(`${path}: its ${what} cannot be read`);
    return bytes;
  };
  const header = at(0, Math.min(headerSize, fileSize), "header");
  const isElf64 =
    header.length === headerSize && header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1;
  if (!isElf64) throw new RangeError(`${path} is no 64-bit little-endian ELF file`);
  const entrySize = header.readUInt16LE(58);
  if (entrySize !== sectionSize) return new Map();
  const table = at(Number(header.readBigUInt64LE(40)), entrySize * header.readUInt16LE(60), "section table");
  const sections: Section[] = [];
  for (let i = 0; i < table.length; i += sectionSize) {
    sections.push({
      type: table.readUInt32LE(i + 4),
      address: Number(table.readBigUInt64LE(i + 16)),
      offset: Number(table.readBigUInt64LE(i + 24)),
      size: Number(table.readBigUInt64LE(i + 32)),
      link: table.readUInt32LE(i + 40),
    });
  }
  const found = new Map<string, ExecutableSymbol>();
  for (const { type, offset, size, link } of sections) {
    const strings = sections[link];
    if ((type !== SHT_SYMTAB && type !== SHT_DYNSYM) || strings === undefined) continue;
    const names = at(strings.offset, strings.size, "string table");
    collect(at(offset, size, "symbol table"), names, sections, found);
  }
  return found;
}

function collect(
  symbols: Buffer,
  names: Buffer,
  sections: readonly Section[],
  found: Map<string, ExecutableSymbol>,
): void {
  for (let i = 0; i + symbolSize <= symbols.length; i += symbolSize) {
    const type = symbols.readUInt8(i + 4) & 0xf;
    // Undefined symbols and reserved indices have no section of this file.
    const section = sections[symbols.readUInt16LE(i + 6)];
    const value = Number(symbols.readBigUInt64LE(i + 8));
    const isFunction = type === STT_FUNC || type === STT_GNU_IFUNC;
    if (!isFunction || value === 0 || section === undefined || section.type === 0 || section.type === SHT_NOBITS)
      continue;
    const start = symbols.readUInt32LE(i);
    const end = names.indexOf(0, start);
    const name = names.toString("latin1", start, end === -1 ? names.length : end);
    if (name === "" || found.has(name)) continue;
    const size = Number(symbols.readBigUInt64LE(i + 16));
    found.set(name, { name, offset: value - section.address + section.offset, size });
  }
}
