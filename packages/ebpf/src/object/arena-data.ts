// SPDX-License-Identifier: Apache-2.0

import type { ElfFile, ElfSection } from "../elf/elf-file.ts";
import { MalformedError, NotSupportedError } from "../errors.ts";
import type { MapSpec } from "../map-spec.ts";
import { MapType } from "../map-type.ts";
import { SectionData } from "./data-sections.ts";

/** Where clang puts variables that an object declares in the address space of an arena (`__arena`). */
export const ARENA_SECTION = ".addr_space.1";

/**
 * The object's arena with the section's bytes as what it holds from the start: byte 0 of the section is byte 0 of the
 * arena. Throws MalformedError unless the object declares exactly one arena, and NotSupportedError for a pointer that is
 * initialised: where the arena lies is not known before it is made.
 */
export function arenaWithData(elf: ElfFile, section: ElfSection, maps: Iterable<MapSpec>): MapSpec {
  if (elf.relocationsOf(section.index).length > 0) {
    throw new NotSupportedError(`an address in section "${section.name}" (a pointer in the arena that is initialised)`);
  }
  const arenas = [...maps].filter(({ type }) => type === MapType.ARENA);
  const [arena] = arenas;
  if (arena === undefined || arenas.length > 1) {
    throw new MalformedError(
      `section "${section.name}"`,
      undefined,
      `variables in an arena need one map of type arena, the object has ${arenas.length}`,
    );
  }
  return { ...arena, data: new SectionData(section, false) };
}
