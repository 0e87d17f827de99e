// SPDX-License-Identifier: Apache-2.0

import { type BtfExtension, readBtfExtension } from "./btf/btf-ext.ts";
import type { BtfTable } from "./btf/btf-table.ts";
import { btfForKernel } from "./btf/kernel-btf-bytes.ts";
import type { CollectionSpec } from "./collection-spec.ts";
import { ByteCursor } from "./cursor.ts";
import {
  type ElfFile,
  type ElfSection,
  SectionFlag,
  SymbolBinding,
  SymbolType,
  SymbolVisibility,
} from "./elf/elf-file.ts";
import { readElf } from "./elf/read-elf.ts";
import { MalformedError, NotSupportedError } from "./errors.ts";
import type { MapSpec } from "./map-spec.ts";
import { assembleProgram, type Budget } from "./object/assemble-program.ts";
import { readBtfMaps } from "./object/btf-maps.ts";
import { dataSectionMap, isDataSection, readVariables } from "./object/data-sections.ts";
import { readCode } from "./object/functions.ts";
import type { ObjectContext } from "./object/object-context.ts";
import { readObjectTypes } from "./object/object-types.ts";
import type { ProgramSpec } from "./program-spec.ts";
import { StringTable } from "./string-table.ts";

/**
 * How many times an object's own size its programs may take. Each program gets a copy of the functions that it
 * calls; without a bound a small hostile object could ask for gigabytes.
 */
const COPY_FACTOR = 32;

/**
 * Reads an eBPF object file (ELF64 of either byte order, as clang writes it): its programs with the functions
 * that they call, the maps of `.maps` and of its data sections, its global variables, and its types. Nothing
 * touches a kernel, and equal bytes give equal results.
 *
 * `btf` of the result is ready for BPF_BTF_LOAD. Map references are marked in the instructions (`src_reg` 1 or
 * 2, the second immediate the offset in the value); the loader writes the first immediate.
 *
 * Throws MalformedError with the place for broken input, and NotSupportedError for what is sound but not
 * supported: externs, maps in maps, legacy `maps` sections, struct_ops.
 */
export function parseObject(bytes: Uint8Array): CollectionSpec {
  const elf = readElf(bytes);
  const sections = uniqueSections(elf);
  refuseUnsupported(sections);
  const code = readCode(elf);
  const btf = readObjectBtf(elf, sections);
  const types = btf === undefined ? undefined : readObjectTypes(btf);

  const maps = new Map<string, MapSpec>();
  const mapsSection = sections.get(".maps");
  const mapsByOffset = mapsSection === undefined ? new Map<number, MapSpec>() : readBtfMaps(elf, mapsSection, types);
  for (const map of mapsByOffset.values()) maps.set(map.name, map);
  const mapsBySection = new Map<number, MapSpec>();
  for (const section of elf.sections) {
    if (!isDataSection(section)) continue;
    const map = dataSectionMap(elf, section, types);
    if (maps.has(map.name))
      throw new MalformedError(".maps", undefined, `map "${map.name}" has the name of a data section`);
    maps.set(map.name, map);
    mapsBySection.set(section.index, map);
  }

  const context: ObjectContext = {
    elf,
    extension: readExtension(sections, code.values(), btf),
    license: readLicense(sections.get("license")),
    kernelVersion: readKernelVersion(elf, sections.get("version")),
    mapsByOffset,
    mapsBySection,
    mapsSection,
  };
  const budget: Budget = { bytes: bytes.length * COPY_FACTOR };
  const programs = new Map<string, ProgramSpec>();
  for (const { section, functions } of code.values()) {
    if (section.name === ".text") continue;
    for (const fn of functions) {
      if (!fn.global) continue;
      if (programs.has(fn.name))
        throw new MalformedError("symbol table", undefined, `there are two programs "${fn.name}"`);
      programs.set(fn.name, assembleProgram(fn, code, context, budget));
    }
  }
  return { byteOrder: elf.byteOrder, programs, maps, variables: readVariables(elf, types, mapsBySection), btf };
}

/** Sections by name. Those that mean something to a loader must be the only ones of their name. */
function uniqueSections(elf: ElfFile): Map<string, ElfSection> {
  const sections = new Map<string, ElfSection>();
  for (const section of elf.sections) {
    const special = (section.flags & SectionFlag.ALLOC) !== 0 || section.name.startsWith(".BTF");
    if (special && sections.has(section.name)) {
      throw new MalformedError("section header table", undefined, `there are two sections "${section.name}"`);
    }
    sections.set(section.name, section);
  }
  return sections;
}

function refuseUnsupported(sections: ReadonlyMap<string, ElfSection>): void {
  for (const [name, section] of sections) {
    if (section.size === 0) continue;
    if (name === "maps" || name.startsWith("maps/")) {
      throw new NotSupportedError(`the legacy section "${name}" (declare the maps in ".maps" with BTF)`);
    }
    if (name.replace(/^\?/, "").startsWith(".struct_ops")) throw new NotSupportedError(`struct_ops, section "${name}"`);
    if (name === ".addr_space.1") throw new NotSupportedError("global variables in an arena");
  }
}

function readObjectBtf(elf: ElfFile, sections: ReadonlyMap<string, ElfSection>): BtfTable | undefined {
  const section = sections.get(".BTF");
  if (section === undefined) return undefined;
  const offsets = new Map<string, number>();
  const hiddenFunctions = new Set<string>();
  for (const symbol of elf.symbols) {
    if (symbol.binding === SymbolBinding.LOCAL) continue;
    if (symbol.type === SymbolType.OBJECT) {
      offsets.set(`${elf.sections[symbol.section]?.name}/${symbol.name}`, symbol.value);
    } else if (
      symbol.type === SymbolType.FUNC &&
      (symbol.visibility === SymbolVisibility.HIDDEN || symbol.visibility === SymbolVisibility.INTERNAL)
    ) {
      hiddenFunctions.add(symbol.name);
    }
  }
  return btfForKernel(section.bytes, {
    sizeOf: (name) => sections.get(name)?.size,
    offsetOf: (name, variable) => offsets.get(`${name}/${variable}`),
    hiddenFunctions,
  });
}

function readExtension(
  sections: ReadonlyMap<string, ElfSection>,
  code: Iterable<{ readonly section: ElfSection }>,
  btf: BtfTable | undefined,
): BtfExtension {
  const section = sections.get(".BTF.ext");
  if (section === undefined || btf === undefined) return new Map();
  const wanted = new Set<string>();
  for (const {
    section: { name },
  } of code)
    wanted.add(name);
  return readBtfExtension(section.bytes, btf, wanted);
}

function readLicense(section: ElfSection | undefined): string {
  if (section === undefined || section.size === 0) return "";
  return new StringTable(section.bytes, 'section "license"').name(0);
}

/** `LINUX_VERSION_CODE` of the headers that a kprobe was compiled with, when it says so. */
function readKernelVersion(elf: ElfFile, section: ElfSection | undefined): number {
  if (section === undefined || section.size === 0) return 0;
  return new ByteCursor(section.bytes, elf.byteOrder, 'section "version"').u32At(0);
}
