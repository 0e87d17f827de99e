// SPDX-License-Identifier: Apache-2.0

import { ByteCursor } from "../cursor.ts";
import { type ElfFile, type ElfRelocation, type ElfSection, SymbolType } from "../elf/elf-file.ts";
import { MalformedError } from "../errors.ts";
import type { MapContent, MapSpec } from "../map-spec.ts";
import { MapType } from "../map-type.ts";

const POINTER_SIZE = 8;

/**
 * What the initialisers of `.maps` put into `values`: each is a relocation in the place of a pointer. `valuesAt` has the
 * byte offset of `values` in each map that has it, all by the map's offset in the section.
 *
 * Throws MalformedError for a relocation that is not such a pointer, or leads to the wrong kind of thing.
 */
export function readMapContents(
  elf: ElfFile,
  section: ElfSection,
  maps: ReadonlyMap<number, MapSpec>,
  valuesAt: ReadonlyMap<number, number>,
): Map<number, MapContent[]> {
  const contents = new Map<number, MapContent[]>();
  const starts = [...maps.keys()].sort((a, b) => a - b);
  let next = 0;
  // Both ascend, so one walk finds the map that each relocation lies in.
  for (const relocation of elf.relocationsOf(section.index)) {
    while ((starts[next] ?? Number.POSITIVE_INFINITY) <= relocation.offset) next++;
    const start = starts[next - 1];
    const map = start === undefined ? undefined : maps.get(start);
    if (start === undefined || map === undefined) {
      throw new MalformedError(".maps", relocation.offset, "an address in front of the first map");
    }
    const values = valuesAt.get(start);
    const index = values === undefined ? -1 : (relocation.offset - start - values) / POINTER_SIZE;
    if (!Number.isInteger(index) || index < 0) {
      throw new MalformedError(".maps", relocation.offset, `map "${map.name}": an address outside "values"`);
    }
    const list = contents.get(start) ?? [];
    contents.set(start, list);
    list.push({ index, ...target(elf, section, maps, map, relocation) });
  }
  return contents;
}

function target(
  elf: ElfFile,
  section: ElfSection,
  maps: ReadonlyMap<number, MapSpec>,
  map: MapSpec,
  { symbol, offset, addend }: ElfRelocation,
): Omit<MapContent, "index"> {
  if (map.type === MapType.PROG_ARRAY) {
    if (symbol.type === SymbolType.FUNC) return { kind: "program", name: symbol.name };
    throw new MalformedError(".maps", offset, `map "${map.name}" holds programs, "${symbol.name}" is none`);
  }
  // A static map is referred to by its section and the offset in it.
  const inPlace = (): number => {
    if (addend !== undefined) return addend;
    return Number(new ByteCursor(section.bytes, elf.byteOrder, ".maps").u64At(offset));
  };
  const at = symbol.type === SymbolType.SECTION ? inPlace() : symbol.value;
  const held = symbol.section === section.index ? maps.get(at) : undefined;
  if (held === undefined) {
    throw new MalformedError(".maps", offset, `map "${map.name}" holds maps, "${symbol.name}" is none`);
  }
  return { kind: "map", name: held.name };
}
