// SPDX-License-Identifier: Apache-2.0

import { ByteCursor } from "../cursor.ts";
import { RelocationType, SectionFlag, SymbolType } from "../elf/elf-file.ts";
import type { NewRelocation } from "../elf/write-elf.ts";
import { MalformedError, NotSupportedError } from "../errors.ts";
import { INSTRUCTION_SIZE } from "../instruction.ts";
import type { MergedSections, SectionPart } from "./merge-sections.ts";
import type { MergedSymbols } from "./merge-symbols.ts";

/**
 * The relocations of one part of a section, for the result. What refers to a section rather than a symbol holds
 * the place within it, which moves as the part does that it leads to: `bytes`, the contents of the merged section,
 * are changed in that place. Throws MalformedError for what has no such place, and NotSupportedError for SHT_RELA.
 */
export function relocateSection(
  part: SectionPart,
  bytes: Uint8Array,
  sections: MergedSections,
  symbols: MergedSymbols,
): NewRelocation[] {
  const { input, section, offset } = part;
  const { elf } = input;
  const place = `relocations of "${section.name}"`;
  const contents = new ByteCursor(bytes.subarray(offset, offset + section.bytes.length), elf.byteOrder, place);
  return elf.relocationsOf(section.index).map((relocation) => {
    const { symbol, type } = relocation;
    if (relocation.addend !== undefined) throw new NotSupportedError(`SHT_RELA, ${place}`);
    const index = symbols.indexOf(symbol);
    if (index === undefined) {
      throw new MalformedError(place, relocation.offset, `"${symbol.name}" is in no section that is linked`);
    }
    if (symbol.type === SymbolType.SECTION) {
      const shift = sections.placeOf(elf.sections[symbol.section])?.offset ?? 0;
      const code = (section.flags & SectionFlag.EXECINSTR) !== 0;
      // Before LLVM 13 this type stood for pointers in data too.
      const kind = type === RelocationType.LD_IMM64 && !code ? RelocationType.ABS64 : type;
      moveAddend(contents, relocation.offset, kind, shift);
    }
    return { offset: offset + relocation.offset, type, symbol: index };
  });
}

/** Adds to the place within a section that a relocation holds. */
function moveAddend(contents: ByteCursor, offset: number, type: number, shift: number): void {
  if (shift === 0) return;
  switch (type) {
    case RelocationType.LD_IMM64:
      add(contents, offset + 4, shift);
      break;
    case RelocationType.CALL:
      // Calls count instructions.
      if (shift % INSTRUCTION_SIZE !== 0) throw contents.malformed("a call into what is not code", offset);
      add(contents, offset + 4, shift / INSTRUCTION_SIZE);
      break;
    case RelocationType.ABS32:
    case RelocationType.NODYLD32:
      add(contents, offset, shift);
      break;
    case RelocationType.ABS64: {
      const value = contents.u64At(offset) + BigInt(shift);
      viewOf(contents).setBigUint64(offset, value, contents.littleEndian);
      break;
    }
    default:
      throw new NotSupportedError(`relocation type ${type}, ${contents.place}`);
  }
}

function add(contents: ByteCursor, offset: number, shift: number): void {
  const value = contents.i32At(offset) + shift;
  if (value > 0x7fff_ffff) throw contents.malformed(`the place ${value} does not fit into 32 bits`, offset);
  viewOf(contents).setInt32(offset, value, contents.littleEndian);
}

function viewOf({ bytes }: ByteCursor): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
