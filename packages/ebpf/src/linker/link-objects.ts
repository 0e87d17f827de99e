// SPDX-License-Identifier: Apache-2.0

import type { ByteOrder } from "../cursor.ts";
import { SectionType } from "../elf/elf-file.ts";
import { type NewSection, writeElf } from "../elf/write-elf.ts";
import { InvalidValueError, ObjectConflictError } from "../errors.ts";
import { type LinkInput, naming, type ObjectInput, readInput } from "./link-input.ts";
import { mergeExtensions } from "./merge-extensions.ts";
import { type MergedSection, MergedSections } from "./merge-sections.ts";
import { MergedSymbols } from "./merge-symbols.ts";
import { mergeTypes } from "./merge-types.ts";
import { relocateSection } from "./relocate-section.ts";

/**
 * Links eBPF objects into one, as `bpftool gen object` does: an ELF64 relocatable object that `parseObject`, libbpf and
 * LLVM's tools read. Equal objects in equal order give equal bytes; nothing touches a kernel.
 *
 * - Sections of one name become one, in the order of the objects. `license` and `version` must be the same everywhere.
 * - Externs are resolved by the other objects' global functions, variables and maps, when their BTF fits together;
 *   those that no object defines stay externs (kconfig, ksyms).
 * - Of definitions of one name at most one may be strong; it takes the place of weak ones.
 * - Hidden symbols stay visible to the objects that are linked, and are hidden in the result.
 * - What is static stays as it is, also where names are equal.
 * - Types come out once, with .BTF.ext and CO-RE relocations that refer to them. DWARF is left out.
 *
 * Throws ObjectConflictError for objects that do not fit together, with the names of the two; MalformedError and
 * NotSupportedError beginning with an object's name; InvalidValueError for no objects, and for two of one name.
 */
export function linkObjects(objects: readonly ObjectInput[]): Uint8Array {
  const inputs = objects.map(readInput);
  const byteOrder = commonByteOrder(inputs);
  const sections = new MergedSections(inputs);
  const symbols = new MergedSymbols(inputs, sections);
  const written = sections.sections.map((section) => newSection(section, sections, symbols));
  if (inputs.some(({ btf }) => btf !== undefined)) {
    const types = mergeTypes(inputs, sections, symbols.globals, byteOrder);
    // Before the types are built: it adds strings to them.
    const extension = mergeExtensions(sections, types, byteOrder);
    written.push(typeSection(".BTF", types.builder.build()), typeSection(".BTF.ext", extension));
  }
  return writeElf(byteOrder, written, symbols.list);
}

function commonByteOrder(inputs: readonly LinkInput[]): ByteOrder {
  const first = inputs[0];
  if (first === undefined) throw new InvalidValueError("linking: no objects were given");
  const names = new Set<string>();
  for (const { name, elf } of inputs) {
    if (names.has(name)) throw new InvalidValueError(`linking: two of the objects are named ${name}`);
    names.add(name);
    if (elf.byteOrder === first.elf.byteOrder) continue;
    throw new ObjectConflictError(
      "byte order",
      [first.name, name],
      `${first.name} is ${first.elf.byteOrder}-endian, ${name} is ${elf.byteOrder}-endian`,
    );
  }
  return first.elf.byteOrder;
}

function newSection(section: MergedSection, sections: MergedSections, symbols: MergedSymbols): NewSection {
  const { name, type, flags, alignment, size, parts } = section;
  const bytes = new Uint8Array(type === SectionType.NOBITS ? 0 : size);
  const relocations = parts.flatMap((part) => {
    if (bytes.length > 0) bytes.set(part.section.bytes, part.offset);
    return naming(part.input.name, () => relocateSection(part, bytes, sections, symbols));
  });
  return { name, type, flags, alignment, size, bytes, entrySize: 0, relocations };
}

function typeSection(name: string, bytes: Uint8Array): NewSection {
  const { length: size } = bytes;
  return { name, type: SectionType.PROGBITS, flags: 0, alignment: 4, size, bytes, entrySize: 0, relocations: [] };
}
