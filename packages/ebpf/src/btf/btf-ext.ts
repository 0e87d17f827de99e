// SPDX-License-Identifier: Apache-2.0

import { ByteCursor } from "../cursor.ts";
import type { CoreRelocation, FunctionInfo, LineInfo } from "../program-spec.ts";
import type { BtfTable } from "./btf-table.ts";

const MAGIC = 0xeb9f;
const HEADER_SIZE = 24;
const HEADER_SIZE_WITH_CORE = 32;
const INSTRUCTION_SIZE = 8;

/** What .BTF.ext says about the instructions of one section; `instruction` counts from the section's start. */
export interface SectionExtension {
  readonly functionInfo: readonly FunctionInfo[];
  readonly lineInfo: readonly LineInfo[];
  readonly coreRelocations: readonly CoreRelocation[];
}

/** The contents of .BTF.ext by section name. */
export type BtfExtension = ReadonlyMap<string, SectionExtension>;

interface MutableExtension {
  functionInfo: FunctionInfo[];
  lineInfo: LineInfo[];
  coreRelocations: CoreRelocation[];
}

/**
 * Reads .BTF.ext (Documentation/bpf/btf.rst, section 4): func_info and line_info, and the CO-RE relocations
 * when the header has them. `btf` is the same object's, for the names of sections and the access strings.
 * Records of sections that are not among `wanted` are left out; the others come out in ascending order of
 * instruction. Throws MalformedError.
 */
export function readBtfExtension(bytes: Uint8Array, btf: BtfTable, wanted: ReadonlySet<string>): BtfExtension {
  const header = new ByteCursor(bytes, btf.byteOrder, ".BTF.ext header");
  header.require(0, HEADER_SIZE);
  if (header.u16At(0) !== MAGIC) throw header.malformed("the magic number is not 0xeb9f in the byte order of .BTF", 0);
  if (header.u8At(2) !== 1) throw header.malformed(`version ${header.u8At(2)}, wanted 1`, 2);
  const headerSize = header.u32At(4);
  if (headerSize < HEADER_SIZE)
    throw header.malformed(`a header of ${headerSize} bytes, wanted ${HEADER_SIZE} or more`, 4);
  header.require(0, headerSize);

  const sections = new Map<string, MutableExtension>();
  for (const name of wanted) sections.set(name, { functionInfo: [], lineInfo: [], coreRelocations: [] });
  const read = (place: string, at: number, minimum: number, add: AddRecord): void => {
    const size = header.u32At(at + 4);
    if (size === 0) return;
    const cursor = new ByteCursor(header.slice(headerSize + header.u32At(at), size), btf.byteOrder, place);
    readRecords(cursor, minimum, btf, sections, add);
  };

  read(".BTF.ext func_info", 8, 8, (into, cursor, at, instruction) => {
    into.functionInfo.push({ instruction, typeId: cursor.u32At(at + 4) });
  });
  read(".BTF.ext line_info", 16, 16, (into, cursor, at, instruction) => {
    into.lineInfo.push({
      instruction,
      fileNameOffset: cursor.u32At(at + 4),
      lineOffset: cursor.u32At(at + 8),
      lineColumn: cursor.u32At(at + 12),
    });
  });
  if (headerSize >= HEADER_SIZE_WITH_CORE) {
    read(".BTF.ext core_relo", 24, 16, (into, cursor, at, instruction) => {
      into.coreRelocations.push({
        instruction,
        typeId: cursor.u32At(at + 4),
        access: btf.strings.name(cursor.u32At(at + 8)),
        kind: cursor.u32At(at + 12),
      });
    });
  }
  for (const section of sections.values()) {
    section.functionInfo.sort(byInstruction);
    section.lineInfo.sort(byInstruction);
    section.coreRelocations.sort(byInstruction);
  }
  return sections;
}

type AddRecord = (into: MutableExtension, cursor: ByteCursor, at: number, instruction: number) => void;

/** A record size, then for each section its name, how many records follow, and the records. */
function readRecords(
  cursor: ByteCursor,
  minimum: number,
  btf: BtfTable,
  sections: ReadonlyMap<string, MutableExtension>,
  add: AddRecord,
): void {
  const recordSize = cursor.u32();
  if (recordSize < minimum || recordSize % 4 !== 0) {
    throw cursor.malformed(`records of ${recordSize} bytes, wanted a multiple of 4 that is at least ${minimum}`, 0);
  }
  while (cursor.remaining > 0) {
    const section = sections.get(btf.strings.name(cursor.u32()));
    const count = cursor.u32();
    if (count === 0) throw cursor.malformed("a section without records");
    cursor.require(cursor.offset, count * recordSize);
    if (section === undefined) {
      cursor.skip(count * recordSize);
      continue;
    }
    for (let i = 0; i < count; i++) {
      const offset = cursor.u32At(cursor.offset);
      if (offset % INSTRUCTION_SIZE !== 0) throw cursor.malformed(`byte ${offset} is not the start of an instruction`);
      add(section, cursor, cursor.offset, offset / INSTRUCTION_SIZE);
      cursor.skip(recordSize);
    }
  }
}

function byInstruction(a: { readonly instruction: number }, b: { readonly instruction: number }): number {
  return a.instruction - b.instruction;
}
