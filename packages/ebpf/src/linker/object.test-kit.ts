// SPDX-License-Identifier: Apache-2.0

import { BtfBuilder } from "../btf/btf-builder.ts";
import { BtfKind, type BtfType } from "../btf/types.ts";
import type { ByteOrder } from "../cursor.ts";
import { SectionFlag, SectionIndex, SectionType, SymbolBinding, SymbolType } from "../elf/elf-file.ts";
import { type NewSection, type NewSymbol, writeElf } from "../elf/write-elf.ts";

/** A symbol of an object that a test makes up. */
export interface TestSymbol {
  readonly name: string;
  /** `.text` makes it a function of one instruction; undefined an extern. */
  readonly section?: string | undefined;
  /** Where an extern says that it is from. */
  readonly from?: string;
  readonly binding?: number;
  readonly visibility?: number;
  /** Adds its type to the BTF; undefined leaves it undescribed. */
  readonly type?: ((builder: BtfBuilder) => number) | undefined;
  readonly value?: number;
}

/** What a made-up object is like. */
export interface TestObject {
  readonly license?: string;
  readonly symbols?: readonly TestSymbol[];
  readonly byteOrder?: ByteOrder;
  readonly alignment?: number;
  readonly btf?: boolean;
}

/** Adds an integer. */
export function int(builder: BtfBuilder, size = 4, name: string = size === 4 ? "int" : "long"): number {
  const type: BtfType = {
    ...{ kind: BtfKind.INT, name, size, bits: size * 8, bitOffset: 0 },
    ...{ signed: true, char: false, bool: false },
  };
  return builder.add(type);
}

/** A type maker: a function that takes and returns integers of these sizes. */
export function takes(...sizes: number[]): (builder: BtfBuilder) => number {
  return (builder) => {
    const parameters = sizes.map((size, i) => ({ name: `p${i}`, type: int(builder, size) }));
    return builder.add({ kind: BtfKind.FUNC_PROTO, name: "", returns: int(builder), parameters });
  };
}

/** A type maker: the struct of an array of so many longs. */
export function arrayMap(entries: number, valueSize = 8): (builder: BtfBuilder) => number {
  return (builder) => {
    const integer = int(builder);
    const pointer = (type: number): number => builder.add({ kind: BtfKind.PTR, name: "", type });
    const number = (length: number): number =>
      pointer(builder.add({ kind: BtfKind.ARRAY, name: "", element: integer, index: integer, length }));
    const fields: [string, number][] = [
      ["type", number(2)],
      ["max_entries", number(entries)],
      ["key", pointer(integer)],
      ["value", pointer(int(builder, valueSize))],
    ];
    const members = fields.map(([name, type], i) => ({ name, type, bitOffset: i * 64, bitSize: 0 }));
    return builder.add({ kind: BtfKind.STRUCT, name: "", size: 32, members });
  };
}

const SLOT = 8;
const EXIT = Uint8Array.of(0x95, 0, 0, 0, 0, 0, 0, 0);

/** An object file with these symbols, each of 8 bytes, in the order given. */
export function testObject(options: TestObject = {}): Uint8Array {
  const { license = "GPL", symbols = [], byteOrder = "little", alignment = 8, btf = true } = options;
  const builder = new BtfBuilder(byteOrder);
  const names = [...new Set(symbols.flatMap(({ section }) => section ?? []))];
  const contents = names.map((name) => symbols.filter(({ section }) => section === name));
  const sections: NewSection[] = names.map((name, i) => {
    const list = contents[i] ?? [];
    const code = name === ".text";
    const bytes = new Uint8Array(list.length * (name === ".maps" ? 32 : SLOT));
    for (const [at, { value }] of list.entries()) bytes.set(code ? EXIT : Uint8Array.of(value ?? 0), at * SLOT);
    const access = code ? SectionFlag.EXECINSTR : name === ".rodata" ? 0 : SectionFlag.WRITE;
    return section(name, bytes, alignment, SectionFlag.ALLOC | access);
  });
  sections.push(section("license", new TextEncoder().encode(`${license}\0`), 1, SectionFlag.ALLOC | SectionFlag.WRITE));
  const variables = new Map<string, { type: number; offset: number; size: number }[]>();
  const written = symbols.map((symbol): NewSymbol => {
    const { name, section: home, from, binding = SymbolBinding.GLOBAL, visibility = 0, type } = symbol;
    const code = home === ".text";
    const size = home === undefined ? 0 : home === ".maps" ? 32 : SLOT;
    if (type !== undefined) {
      const id = type(builder);
      const linkage = home === undefined ? "extern" : binding === SymbolBinding.LOCAL ? "static" : "global";
      const kind = code || (home === undefined && from === ".ksyms") ? BtfKind.FUNC : BtfKind.VAR;
      const entry = {
        type: builder.add({ kind, name, type: id, linkage }),
        offset: 0,
        size: home === undefined ? 4 : size,
      };
      const place = home ?? from;
      if (place !== undefined && !code) variables.set(place, [...(variables.get(place) ?? []), entry]);
    }
    return {
      ...{ name, binding, visibility, size },
      value: home === undefined ? 0 : (contents[names.indexOf(home)] ?? []).indexOf(symbol) * size,
      type: home === undefined ? SymbolType.NOTYPE : code ? SymbolType.FUNC : SymbolType.OBJECT,
      section: home === undefined ? SectionIndex.UNDEFINED : names.indexOf(home) + 1,
    };
  });
  for (const [name, list] of variables) builder.add({ kind: BtfKind.DATASEC, name, size: 0, variables: list });
  if (btf) sections.push(section(".BTF", builder.build(), 4, 0));
  return writeElf(byteOrder, sections, written);
}

function section(name: string, bytes: Uint8Array, alignment: number, flags: number): NewSection {
  const none = { alignment, flags, size: bytes.length, entrySize: 0, relocations: [] };
  return name === ".bss"
    ? { name, bytes: new Uint8Array(), type: SectionType.NOBITS, ...none }
    : { name, bytes, type: SectionType.PROGBITS, ...none };
}
