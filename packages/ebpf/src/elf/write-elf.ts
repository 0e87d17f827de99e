// SPDX-License-Identifier: Apache-2.0

import { StringBuilder } from "../btf/string-builder.ts";
import type { ByteOrder } from "../cursor.ts";
import { type ElfSymbol, SectionFlag, SectionType } from "./elf-file.ts";

const HEADER_SIZE = 64;
const SECTION_HEADER_SIZE = 64;
const SYMBOL_SIZE = 24;
const RELOCATION_SIZE = 16;
const ET_REL = 1;
const EM_BPF = 247;
/** What contents are aligned to in the file, at most: nothing reads them in place, and padding is not free. */
const FILE_ALIGNMENT = 16;

/** A section to write. Its index is its place in the list, from 1 on. */
export interface NewSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** A power of two. */
  readonly alignment: number;
  /** Empty for NOBITS. */
  readonly bytes: Uint8Array;
  /** Bytes in memory. */
  readonly size: number;
  readonly entrySize: number;
  /** In ascending order of offset; they become the section `.relNAME` (SHT_REL). */
  readonly relocations: readonly NewRelocation[];
}

/**
 * A symbol to write. Its index is its place in the list, from 1 on; local ones come first. The symbol of a section has an
 * empty name.
 */
export type NewSymbol = Omit<ElfSymbol, "index">;

/** A relocation to write; its addend lies in the place that it changes. */
export interface NewRelocation {
  readonly offset: number;
  readonly type: number;
  /** Index of its symbol. */
  readonly symbol: number;
}

/** A section as it comes to lie in the file. */
interface Placed {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly alignment: number;
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly entrySize: number;
  readonly link: number;
  readonly info: number;
}

/**
 * Writes a relocatable ELF64 object for eBPF (System V ABI, chapter 4): the sections, those of their relocations, the
 * symbol table and one string table for all names. Equal arguments give equal bytes.
 *
 * At most 65,279 sections: past that their indices do not fit into symbols.
 */
export function writeElf(
  byteOrder: ByteOrder,
  sections: readonly NewSection[],
  symbols: readonly NewSymbol[],
): Uint8Array {
  const little = byteOrder === "little";
  const strings = new StringBuilder();
  const symbolTable = writeSymbols(symbols, strings, little);
  const related = sections
    .map((section, i) => ({ section, index: i + 1 }))
    .filter(({ section }) => section.relocations.length > 0);
  const symbolIndex = sections.length + related.length + 1;
  const placed: Placed[] = sections.map((section) => ({ ...section, link: 0, info: 0 }));
  for (const { section, index } of related) {
    const bytes = writeRelocations(section.relocations, little);
    const table = { alignment: 8, bytes, size: bytes.length, entrySize: RELOCATION_SIZE };
    const meaning = { type: SectionType.REL, flags: SectionFlag.INFO_LINK, link: symbolIndex, info: index };
    placed.push({ name: `.rel${section.name}`, ...table, ...meaning });
  }
  const locals = symbols.findIndex(({ binding }) => binding !== 0);
  placed.push({
    ...{ name: ".symtab", type: SectionType.SYMTAB, flags: 0, alignment: 8 },
    ...{ bytes: symbolTable, size: symbolTable.length, entrySize: SYMBOL_SIZE },
    ...{ link: symbolIndex + 1, info: (locals < 0 ? symbols.length : locals) + 1 },
  });
  const nameOffsets = placed.map(({ name }) => strings.offsetOf(name));
  const stringsName = strings.offsetOf(".strtab");
  const names = strings.bytes();
  placed.push({
    ...{ name: ".strtab", type: SectionType.STRTAB, flags: 0, alignment: 1 },
    ...{ bytes: names, size: names.length, entrySize: 0, link: 0, info: 0 },
  });
  return layOut(placed, [...nameOffsets, stringsName], byteOrder);
}

function layOut(sections: readonly Placed[], nameOffsets: readonly number[], byteOrder: ByteOrder): Uint8Array {
  const little = byteOrder === "little";
  let end = HEADER_SIZE;
  const offsets = sections.map(({ bytes, alignment }) => {
    const offset = alignUp(end, Math.min(alignment, FILE_ALIGNMENT));
    end = offset + bytes.length;
    return offset;
  });
  const headers = alignUp(end, 8);
  const count = sections.length + 1;
  const file = new Uint8Array(headers + count * SECTION_HEADER_SIZE);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, little ? 1 : 2, 1]);
  view.setUint16(16, ET_REL, little);
  view.setUint16(18, EM_BPF, little);
  view.setUint32(20, 1, little);
  view.setBigUint64(40, BigInt(headers), little);
  view.setUint16(52, HEADER_SIZE, little);
  view.setUint16(58, SECTION_HEADER_SIZE, little);
  view.setUint16(60, count, little);
  view.setUint16(62, count - 1, little);
  sections.forEach((section, i) => {
    file.set(section.bytes, offsets[i]);
    const at = headers + (i + 1) * SECTION_HEADER_SIZE;
    view.setUint32(at, nameOffsets[i] ?? 0, little);
    view.setUint32(at + 4, section.type, little);
    view.setBigUint64(at + 8, BigInt(section.flags), little);
    view.setBigUint64(at + 24, BigInt(offsets[i] ?? 0), little);
    view.setBigUint64(at + 32, BigInt(section.size), little);
    view.setUint32(at + 40, section.link, little);
    view.setUint32(at + 44, section.info, little);
    view.setBigUint64(at + 48, BigInt(section.alignment), little);
    view.setBigUint64(at + 56, BigInt(section.entrySize), little);
  });
  return file;
}

function writeSymbols(symbols: readonly NewSymbol[], strings: StringBuilder, little: boolean): Uint8Array {
  const bytes = new Uint8Array((symbols.length + 1) * SYMBOL_SIZE);
  const view = new DataView(bytes.buffer);
  symbols.forEach((symbol, i) => {
    const at = (i + 1) * SYMBOL_SIZE;
    view.setUint32(at, strings.offsetOf(symbol.name), little);
    view.setUint8(at + 4, (symbol.binding << 4) | symbol.type);
    view.setUint8(at + 5, symbol.visibility);
    view.setUint16(at + 6, symbol.section, little);
    view.setBigUint64(at + 8, BigInt(symbol.value), little);
    view.setBigUint64(at + 16, BigInt(symbol.size), little);
  });
  return bytes;
}

function writeRelocations(relocations: readonly NewRelocation[], little: boolean): Uint8Array {
  const bytes = new Uint8Array(relocations.length * RELOCATION_SIZE);
  const view = new DataView(bytes.buffer);
  relocations.forEach(({ offset, type, symbol }, i) => {
    const at = i * RELOCATION_SIZE;
    view.setBigUint64(at, BigInt(offset), little);
    // r_info is one number of 64 bits: the symbol above, the type below.
    view.setUint32(at + (little ? 8 : 12), type, little);
    view.setUint32(at + (little ? 12 : 8), symbol, little);
  });
  return bytes;
}

/** The next multiple of an alignment; 0 and 1 stand for any place. */
export function alignUp(value: number, alignment: number): number {
  return alignment <= 1 ? value : Math.ceil(value / alignment) * alignment;
}
