// SPDX-License-Identifier: Apache-2.0

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { ClosedError } from "./closed-error.ts";

/** A section of an ELF file. */
export interface ElfSection {
  readonly name: string;
  /** `SHT_*`. */
  readonly type: number;
  /** Virtual address; 0 for what is not loaded. */
  readonly address: number;
  /** Bytes from the beginning of the file. */
  readonly offset: number;
  readonly size: number;
  /** Index of the section that this one refers to: a symbol table's strings. */
  readonly link: number;
}

/** A part of an ELF file as it is loaded (`PT_LOAD`). */
export interface ElfSegment {
  /** PF_X 1, PF_W 2, PF_R 4. */
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
}

/** A symbol that an ELF file defines. */
export interface ElfSymbol {
  readonly name: string;
  /** `STT_*`. */
  readonly type: number;
  /** Virtual address. */
  readonly value: number;
  readonly size: number;
  readonly section: ElfSection;
  /** Whether only the file that defines it sees it (`STB_LOCAL`). */
  readonly local: boolean;
  /** Whether it is kept for programs of old alone: a version of the symbol that none is linked with any more. */
  readonly old: boolean;
}

const ET_EXEC = 2;
const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHT_DYNSYM = 11;
const SHT_GNU_VERSYM = 0x6fff_ffff;
/** In an entry of the versions of symbols: not the one to link with. */
const VERSYM_HIDDEN = 0x8000;
const PT_LOAD = 1;
const STB_LOCAL = 0;
const headerSize = 64;
const sectionSize = 64;
const segmentSize = 56;
const symbolSize = 24;

/**
 * The tables of a 64-bit little-endian executable or shared library, read from the file as they are asked for; the
 * code stays where it is. Throws RangeError when the file is not of that kind, or a table ends beyond it.
 */
export class ElfTables implements Disposable {
  readonly path: string;
  /** Whether it is loaded at the addresses that it is linked for (`ET_EXEC`), not anywhere (`ET_DYN`). */
  readonly fixed: boolean;
  readonly sections: readonly ElfSection[];
  readonly segments: readonly ElfSegment[];
  readonly #file: number;
  readonly #size: number;
  #closed = false;

  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, "r");
    try {
      this.#size = fstatSync(this.#file).size;
      const header = this.read(0, Math.min(headerSize, this.#size), "header");
      const isElf64 =
        header.length === headerSize && header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1;
      if (!isElf64) throw new RangeError(`${path} is no 64-bit little-endian ELF file`);
      this.fixed = header.readUInt16LE(16) === ET_EXEC;
      this.sections = this.#readSections(header);
      this.segments = this.#readSegments(header);
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  /** Bytes of the file; `what` names them in errors. Throws ClosedError. */
  read(offset: number, size: number, what: string): Buffer {
    if (this.#closed) throw new ClosedError(this.path);
    if (offset + size > this.#size) throw new RangeError(`${this.path}: its ${what} ends beyond the file`);
    const bytes = Buffer.alloc(size);
    if (readSync(this.#file, bytes, 0, size, offset) !== size) {
      throw new RangeError(`${this.path}: its ${what} cannot be read`);
    }
    return bytes;
  }

  /** Where in the file the byte of a virtual address lies; undefined when no segment is loaded from there. */
  fileOffset(address: number): number | undefined {
    const segment = this.segments.find((each) => address >= each.address && address < each.address + each.fileSize);
    return segment && address - segment.address + segment.offset;
  }

  /** The symbols of `.symtab` and `.dynsym` that have a place in the file, in their order. */
  *symbols(): Generator<ElfSymbol> {
    for (const [tableIndex, { type, offset, size, link }] of this.sections.entries()) {
      const strings = this.sections[link];
      if ((type !== SHT_SYMTAB && type !== SHT_DYNSYM) || strings === undefined) continue;
      const names = this.read(strings.offset, strings.size, "string table");
      const table = this.read(offset, size, "symbol table");
      const versions = this.#versionsOf(tableIndex);
      for (let i = 0; i + symbolSize <= table.length; i += symbolSize) {
        // Undefined symbols and reserved indices have no section of this file.
        const section = this.sections[table.readUInt16LE(i + 6)];
        const value = Number(table.readBigUInt64LE(i + 8));
        if (value === 0 || section === undefined || section.type === 0) continue;
        // A table for the linker has the version in the name: `memcpy@@GLIBC_2.14`, an old one behind a single @.
        const text = textAt(names, table.readUInt32LE(i));
        const end = type === SHT_SYMTAB ? text.indexOf("@", 1) : -1;
        const name = end === -1 ? text : text.slice(0, end);
        if (name === "") continue;
        const info = table.readUInt8(i + 4);
        const at = (i / symbolSize) * 2;
        const hidden = at + 2 <= versions.length && (versions.readUInt16LE(at) & VERSYM_HIDDEN) !== 0;
        const old = hidden || (end !== -1 && text[end + 1] !== "@");
        const size = Number(table.readBigUInt64LE(i + 16));
        yield { name, type: info & 0xf, value, size, section, local: info >>> 4 === STB_LOCAL, old };
      }
    }
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#file);
  }

  /** `.gnu.version` of a symbol table: 2 bytes a symbol; empty where there is none. */
  #versionsOf(table: number): Buffer {
    const section = this.sections.find(({ type, link }) => type === SHT_GNU_VERSYM && link === table);
    return section === undefined ? Buffer.alloc(0) : this.read(section.offset, section.size, "table of versions");
  }

  #readSections(header: Buffer): ElfSection[] {
    if (header.readUInt16LE(58) !== sectionSize) return [];
    const size = sectionSize * header.readUInt16LE(60);
    const table = this.read(Number(header.readBigUInt64LE(40)), size, "section table");
    const sections: ElfSection[] = [];
    const nameOffsets: number[] = [];
    for (let i = 0; i < table.length; i += sectionSize) {
      nameOffsets.push(table.readUInt32LE(i));
      sections.push({
        name: "",
        type: table.readUInt32LE(i + 4),
        address: Number(table.readBigUInt64LE(i + 16)),
        offset: Number(table.readBigUInt64LE(i + 24)),
        size: Number(table.readBigUInt64LE(i + 32)),
        link: table.readUInt32LE(i + 40),
      });
    }
    const strings = sections[header.readUInt16LE(62)];
    if (strings === undefined || strings.type === SHT_NOBITS) return sections;
    const names = this.read(strings.offset, strings.size, "table of section names");
    return sections.map((section, index) => ({ ...section, name: textAt(names, nameOffsets[index] ?? 0) }));
  }

  #readSegments(header: Buffer): ElfSegment[] {
    if (header.readUInt16LE(54) !== segmentSize) return [];
    const size = segmentSize * header.readUInt16LE(56);
    const table = this.read(Number(header.readBigUInt64LE(32)), size, "segment table");
    const segments: ElfSegment[] = [];
    for (let i = 0; i < table.length; i += segmentSize) {
      if (table.readUInt32LE(i) !== PT_LOAD) continue;
      segments.push({
        flags: table.readUInt32LE(i + 4),
        offset: Number(table.readBigUInt64LE(i + 8)),
        address: Number(table.readBigUInt64LE(i + 16)),
        fileSize: Number(table.readBigUInt64LE(i + 32)),
      });
    }
    return segments;
  }
}

/** The NUL-terminated string that begins at an offset; what is left when it does not end. */
function textAt(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(0, start);
  return bytes.toString("latin1", start, end === -1 ? bytes.length : end);
}
