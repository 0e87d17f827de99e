// SPDX-License-Identifier: Apache-2.0

import type { ByteOrder } from "../cursor.ts";

/** Section types (`sh_type`) that an eBPF object uses; System V ABI, chapter 4. */
export const SectionType = {
  PROGBITS: 1,
  SYMTAB: 2,
  STRTAB: 3,
  RELA: 4,
  NOBITS: 8,
  REL: 9,
} as const;

/** Section flags (`sh_flags`). */
export const SectionFlag = { WRITE: 1, ALLOC: 2, EXECINSTR: 4, MERGE: 0x10, STRINGS: 0x20, INFO_LINK: 0x40 } as const;

/** Symbol types (`ELF64_ST_TYPE`). */
export const SymbolType = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3, FILE: 4 } as const;

/** Symbol bindings (`ELF64_ST_BIND`). */
export const SymbolBinding = { LOCAL: 0, GLOBAL: 1, WEAK: 2 } as const;

/** Symbol visibilities (`ELF64_ST_VISIBILITY`). */
export const SymbolVisibility = { DEFAULT: 0, INTERNAL: 1, HIDDEN: 2, PROTECTED: 3 } as const;

/** Section indices with a meaning of their own: undefined symbols, and the first reserved one. */
export const SectionIndex = { UNDEFINED: 0, RESERVED: 0xff00 } as const;

/** Relocation types of eBPF (Documentation/bpf/llvm_reloc.rst). */
export const RelocationType = {
  NONE: 0,
  /** `ld_imm64`: R_BPF_64_64. */
  LD_IMM64: 1,
  ABS64: 2,
  ABS32: 3,
  NODYLD32: 4,
  /** `call`: R_BPF_64_32. */
  CALL: 10,
} as const;

/** A section header and its bytes. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  /** One of {@link SectionType}, or another. */
  readonly type: number;
  /** {@link SectionFlag} bits; only the lower 32. */
  readonly flags: number;
  /** Bytes, also for NOBITS, which has none in the file. */
  readonly size: number;
  readonly link: number;
  readonly info: number;
  /** What its offset in the file, and in memory, is a multiple of; a power of two, or 0 for any. */
  readonly alignment: number;
  /** Bytes of an entry when it is a table; otherwise 0. */
  readonly entrySize: number;
  /** The contents, not copied; empty for NOBITS. */
  readonly bytes: Uint8Array;
}

/** An entry of the symbol table, checked to lie within its section. */
export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  /** In a relocatable object: bytes from the start of its section. */
  readonly value: number;
  readonly size: number;
  /** One of {@link SymbolType}. */
  readonly type: number;
  /** One of {@link SymbolBinding}. */
  readonly binding: number;
  /** One of {@link SymbolVisibility}. */
  readonly visibility: number;
  /** Index of its section, or a reserved {@link SectionIndex}. */
  readonly section: number;
}

/** A place in a section that depends on where a symbol ends up. */
export interface ElfRelocation {
  /** Bytes from the start of the section that it changes. */
  readonly offset: number;
  readonly symbol: ElfSymbol;
  /** One of {@link RelocationType}. */
  readonly type: number;
  /** The addend of SHT_RELA; undefined for SHT_REL, where it lies in the place to be changed. */
  readonly addend: number | undefined;
}

/** A relocatable eBPF object, read and checked. */
export interface ElfFile {
  readonly byteOrder: ByteOrder;
  /** By index; the first is the null section. */
  readonly sections: readonly ElfSection[];
  /** By index; the first is the null symbol. */
  readonly symbols: readonly ElfSymbol[];
  /** Reads the relocations of a section, by its index, in ascending order of offset. */
  relocationsOf(section: number): readonly ElfRelocation[];
}
