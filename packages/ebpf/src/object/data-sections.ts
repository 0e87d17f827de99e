// SPDX-License-Identifier: Apache-2.0

import { type ElfFile, type ElfSection, SectionFlag, SectionType, SymbolBinding, SymbolType } from "../elf/elf-file.ts";
import { MalformedError, NotSupportedError } from "../errors.ts";
import type { MapData, MapSpec } from "../map-spec.ts";
import { MapType } from "../map-type.ts";
import type { VariableSpec } from "../variable-spec.ts";
import type { ObjectTypes } from "./object-types.ts";

/** BPF_F_RDONLY_PROG (5.2): programs only read it. */
export const BPF_F_RDONLY_PROG: number = 1 << 7;
/** BPF_F_MMAPABLE (5.5): user space may map the values. */
export const BPF_F_MMAPABLE: number = 1 << 10;
/** An array refuses larger values (array_map_alloc_check, kernel/bpf/arraymap.c). */
const MAXIMUM_VALUE_SIZE = 0x7fff_ffff;

/** Whether a section holds global variables: `.rodata`, `.data`, `.bss` and their forms with a suffix. */
export function isDataSection(section: ElfSection): boolean {
  return (
    (section.flags & SectionFlag.ALLOC) !== 0 &&
    (section.flags & SectionFlag.EXECINSTR) === 0 &&
    section.size > 0 &&
    /^\.(rodata|data|bss)(\.|$)/.test(section.name)
  );
}

/** The map for a data section: an array whose only value is the section. */
export function dataSectionMap(elf: ElfFile, section: ElfSection, types: ObjectTypes | undefined): MapSpec {
  const place = `section "${section.name}"`;
  if (section.type !== SectionType.PROGBITS && section.type !== SectionType.NOBITS) {
    throw new MalformedError(place, undefined, `a data section of type ${section.type}`);
  }
  if (section.size > MAXIMUM_VALUE_SIZE) {
    throw new MalformedError(place, undefined, `${section.size} bytes, a map takes at most ${MAXIMUM_VALUE_SIZE}`);
  }
  if (elf.relocationsOf(section.index).length > 0) {
    throw new NotSupportedError(`an address in data section "${section.name}" (a pointer that is initialised)`);
  }
  const readOnly = section.name.startsWith(".rodata");
  return {
    name: section.name,
    type: MapType.ARRAY,
    keySize: 4,
    valueSize: section.size,
    maxEntries: 1,
    flags: BPF_F_MMAPABLE | (readOnly ? BPF_F_RDONLY_PROG : 0),
    extra: 0n,
    pinning: "none",
    keyTypeId: 0,
    valueTypeId: types?.sections.get(section.name) ?? 0,
    data: new SectionData(section, readOnly),
  };
}

/** Copies the section when it is first asked for: a `.bss` is as large as its header says, whatever the file's size. */
export class SectionData implements MapData {
  readonly section: string;
  readonly readOnly: boolean;
  readonly #source: ElfSection;
  #contents: Uint8Array | undefined;

  constructor(source: ElfSection, readOnly: boolean) {
    this.section = source.name;
    this.readOnly = readOnly;
    this.#source = source;
  }

  get contents(): Uint8Array {
    if (this.#contents === undefined) {
      this.#contents = new Uint8Array(this.#source.size);
      this.#contents.set(this.#source.bytes);
    }
    return this.#contents;
  }
}

/**
 * The variables of the data sections: every global or weak object symbol, as in libbpf. Static variables are
 * the program's own. The type comes from the variable's entry in BTF.
 */
export function readVariables(
  elf: ElfFile,
  types: ObjectTypes | undefined,
  mapsBySection: ReadonlyMap<number, MapSpec>,
): Map<string, VariableSpec> {
  const variables = new Map<string, VariableSpec>();
  for (const symbol of elf.symbols) {
    if (symbol.type !== SymbolType.OBJECT || symbol.binding === SymbolBinding.LOCAL) continue;
    const map = mapsBySection.get(symbol.section);
    if (map === undefined) continue;
    if (variables.has(symbol.name)) {
      throw new MalformedError("symbol table", undefined, `there are two global variables "${symbol.name}"`);
    }
    variables.set(symbol.name, {
      name: symbol.name,
      map: map.name,
      offset: symbol.value,
      size: symbol.size,
      typeId: types === undefined ? 0 : variableType(types, symbol.name, symbol.size),
      readOnly: map.data?.readOnly === true,
    });
  }
  return variables;
}

/** The type of a global variable; 0 when BTF describes none, or one of another size than the symbol's. */
function variableType({ btf, variables }: ObjectTypes, name: string, size: number): number {
  const variable = variables.get(name);
  return variable?.linkage === "global" && btf.sizeOf(variable.type) === size ? variable.type : 0;
}
