// SPDX-License-Identifier: Apache-2.0

import type { ByteOrder } from "../cursor.ts";
import type { BtfExtension, SectionExtension } from "./btf-ext.ts";

const MAGIC = 0xeb9f;
const HEADER_SIZE = 32;
const INSTRUCTION_SIZE = 8;

/**
 * Writes .BTF.ext: func_info, line_info and CO-RE relocations by section (Documentation/bpf/btf.rst, section 4), with
 * the header of 32 bytes. `stringOf` gives the offset of a string in the string section of the .BTF beside it, as
 * `BtfBuilder.string` does; line_info holds such offsets already.
 */
export function writeBtfExtension(
  extension: BtfExtension,
  stringOf: (text: string) => number,
  byteOrder: ByteOrder,
): Uint8Array {
  const functions = records(extension, 8, stringOf, ({ functionInfo }) =>
    functionInfo.map(({ instruction, typeId }) => [instruction * INSTRUCTION_SIZE, typeId]),
  );
  const lines = records(extension, 16, stringOf, ({ lineInfo }) =>
    lineInfo.map((line) => [
      ...[line.instruction * INSTRUCTION_SIZE, line.fileNameOffset],
      ...[line.lineOffset, line.lineColumn],
    ]),
  );
  const relocations = records(extension, 16, stringOf, ({ coreRelocations }) =>
    coreRelocations.map(({ instruction, typeId, access, kind }) => [
      ...[instruction * INSTRUCTION_SIZE, typeId],
      ...[stringOf(access), kind],
    ]),
  );
  const words: number[] = [];
  const places: number[] = [];
  for (const part of [functions, lines, relocations]) {
    places.push(words.length * 4, part.length * 4);
    for (const word of part) words.push(word);
  }
  const bytes = new Uint8Array(HEADER_SIZE + words.length * 4);
  const view = new DataView(bytes.buffer);
  const little = byteOrder === "little";
  view.setUint16(0, MAGIC, little);
  view.setUint8(2, 1);
  for (const [i, word] of [HEADER_SIZE, ...places, ...words].entries()) view.setUint32(4 + i * 4, word, little);
  return bytes;
}

/** The size of a record, then for each section that has any its name, their number and the records. */
function records(
  extension: BtfExtension,
  recordSize: number,
  stringOf: (text: string) => number,
  recordsOf: (section: SectionExtension) => readonly (readonly number[])[],
): number[] {
  const words: number[] = [];
  for (const [name, section] of extension) {
    const list = recordsOf(section);
    if (list.length > 0) words.push(stringOf(name), list.length, ...list.flat());
  }
  return words.length === 0 ? [] : [recordSize, ...words];
}
