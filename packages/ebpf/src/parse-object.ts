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
import { MalformedError } from "./errors.ts";
import type { MapSpec } from "./map-spec.ts";
import { ARENA_SECTION, arenaWithData } from "./object/arena-data.ts";
import { assembleProgram, type Budget } from "./object/assemble-program.ts";
import { readBtfMaps } from "./object/btf-maps.ts";
import { dataSectionMap, isDataSection, readVariables } from "./object/data-sections.ts";
import { type ObjectExterns, readExterns } from "./object/externs.ts";
import { readCode } from "./object/functions.ts";
import { kconfigMap, kconfigVariables } from "./object/kconfig-map.ts";
import { readLegacyMaps } from "./object/legacy-maps.ts";
import type { ObjectContext } from "./object/object-context.ts";
import { readObjectTypes } from "./object/object-types.ts";
import { nameStructOpsMembers, readStructOps } from "./object/struct-ops.ts";
import type { ProgramSpec } from "./program-spec.ts";
import { StringTable } from "./string-table.ts";

/**
 * How many times an object's own size its programs may take. Each program gets a copy of the functions that it
 * calls; without a bound a small hostile object could ask for gigabytes.
 */
const COPY_FACTOR = 32;

/**
 * Reads an eBPF object file (ELF64 of either byte order, as clang writes it): its programs with the functions
 * that they call, the maps of `.maps` (or of `maps`, before BTF) and of its data sections, its global variables, what it
 * wants of the kernel, and its types. Nothing touches a kernel, and equal bytes give equal results.
 *
 * `btf` of the result is ready for BPF_BTF_LOAD. Map references are marked in the instructions (`src_reg` 1 or
 * 2, the second immediate the offset in the value); the loader writes the first immediate.
 *
 * Throws MalformedError with the place for broken input, and NotSupportedError for a pointer that is initialised in a
 * data section.
 */
export function parseObject(bytes: Uint8Array): CollectionSpec {
  const elf = readElf(bytes);
  const sections = uniqueSections(elf);
  const code = readCode(elf);
  const btfSection = sections.get(".BTF");
  const externs = btfSection === undefined ? undefined : readExterns(elf, btfSection.bytes);
  const btf = externs === undefined ? undefined : readObjectBtf(elf, sections, externs);
  const types = btf === undefined ? undefined : readObjectTypes(btf);

  const maps = new Map<string, MapSpec>();
  const declaredMaps = readLegacyMaps(elf);
  const mapsSection = sections.get(".maps");
  if (mapsSection !== undefined) declaredMaps.set(mapsSection.index, readBtfMaps(elf, mapsSection, types));
  for (const map of [...declaredMaps.values()].flatMap((declared) => [...declared.values()])) {
    if (maps.has(map.name)) throw new MalformedError("symbol table", undefined, `there are two maps "${map.name}"`);
    maps.set(map.name, map);
  }
  const mapsBySection = new Map<number, MapSpec>();
  const addDataMap = (map: MapSpec): void => {
    if (maps.has(map.name))
      throw new MalformedError(".maps", undefined, `map "${map.name}" has the name of a data section`);
    maps.set(map.name, map);
  };
  for (const section of elf.sections) {
    if (!isDataSection(section)) continue;
    const map = dataSectionMap(elf, section, types);
    addDataMap(map);
    mapsBySection.set(section.index, map);
  }
  const arenaSection = sections.get(ARENA_SECTION);
  if (arenaSection !== undefined && arenaSection.size > 0) {
    const arena = arenaWithData(elf, arenaSection, maps.values());
    maps.set(arena.name, arena);
    mapsBySection.set(arenaSection.index, arena);
  }
  const settings = externs?.settings ?? [];
  if (settings.length > 0) addDataMap(kconfigMap(settings, types));
  for (const map of readStructOps(elf, types)) {
    if (maps.has(map.name)) throw new MalformedError(".struct_ops", undefined, `there are two maps "${map.name}"`);
    maps.set(map.name, map);
  }

  const context: ObjectContext = {
    elf,
    extension: readExtension(sections, code.values(), btf),
    license: readLicense(sections.get("license")),
    kernelVersion: readKernelVersion(elf, sections.get("version")),
    declaredMaps,
    mapsBySection,
    externs: externs?.symbols ?? new Map(),
    settings: new Map(settings.map((setting) => [setting.name, setting])),
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
  nameStructOpsMembers(maps.values(), programs);
  const variables = readVariables(elf, types, mapsBySection);
  for (const variable of kconfigVariables(settings)) {
    if (variables.has(variable.name))
      throw new MalformedError(".kconfig", undefined, `there are two variables "${variable.name}"`);
    variables.set(variable.name, variable);
  }
  return { byteOrder: elf.byteOrder, programs, maps, variables, externs: context.externs, btf };
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

function readObjectBtf(elf: ElfFile, sections: ReadonlyMap<string, ElfSection>, { btf }: ObjectExterns): BtfTable {
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
  return btfForKernel(btf, {
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
  const cursor = new ByteCursor(section.bytes, elf.byteOrder, 'section "version"');
  if (section.size !== 4) throw cursor.malformed(`it has ${section.size} bytes, a kernel version has 4`, 0);
  return cursor.u32At(0);
}
