// SPDX-License-Identifier: Apache-2.0

import { ElfTables } from "./elf-tables.ts";

/**
 * The bytes of a section of a 64-bit little-endian ELF file; undefined when it has none of the name. Throws RangeError for
 * a file of another kind, and where the section ends beyond it.
 */
export function elfSection(path: string, name: string): Uint8Array | undefined {
  using file = new ElfTables(path);
  const section = file.sections.find((each) => each.name === name);
  return section && file.read(section.offset, section.size, `section "${name}"`);
}
