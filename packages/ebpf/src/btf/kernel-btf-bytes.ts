// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "../errors.ts";
import type { BtfTable } from "./btf-table.ts";
import { readBtfTable } from "./read-btf.ts";
import { BtfKind } from "./types.ts";

/** What the ELF symbols know and clang leaves out of .BTF. */
export interface SectionFacts {
  /** Bytes of a section; undefined when there is none of this name. */
  sizeOf(section: string): number | undefined;
  /** Byte offset in its section of a global or weak variable; undefined when it has no symbol. */
  offsetOf(section: string, variable: string): number | undefined;
  /** Functions with hidden visibility: the verifier is to treat them as static. */
  readonly hiddenFunctions: ReadonlySet<string>;
}

/**
 * An object's BTF as the kernel takes it (BPF_BTF_LOAD). clang leaves the sizes of data sections and the offsets of
 * global variables zero; they are filled in, and variables put in the order of their offsets. Hidden functions become
 * static, and `?` in front of a data section's name `_`, as libbpf does. `bytes` is left as it is. Types that need nothing keep their bytes.
 */
export function btfForKernel(bytes: Uint8Array, facts: SectionFacts): BtfTable {
  const btf = readBtfTable(bytes.slice());
  for (let id = 1; id < btf.typeCount; id++) {
    const kind = btf.kindOf(id);
    if (kind === BtfKind.DATASEC) fillSection(btf, id, facts);
    else if (kind === BtfKind.FUNC && facts.hiddenFunctions.size > 0) hideFunction(btf, id, facts.hiddenFunctions);
  }
  return btf;
}

const LINKAGE_GLOBAL = 1;
const UNDERSCORE = 0x5f;

function fillSection(btf: BtfTable, id: number, facts: SectionFacts): void {
  const name = btf.strings.name(btf.wordOf(id, 0));
  const sectionSize = facts.sizeOf(name);
  // .kconfig and .ksyms declare what lies elsewhere; the object has no such sections.
  if (sectionSize === undefined) return;
  const count = btf.wordOf(id, 1) & 0xff_ffff;
  const at = btf.offsetOf(id);
  const types = new DataView(btf.types.bytes.buffer, btf.types.bytes.byteOffset, btf.types.bytes.byteLength);
  const littleEndian = btf.types.littleEndian;

  const variables: { type: number; offset: number; size: number }[] = [];
  for (let i = 0; i < count; i++) {
    const type = btf.wordOf(id, 3 + i * 3);
    let offset = btf.wordOf(id, 4 + i * 3);
    const size = btf.wordOf(id, 5 + i * 3);
    if (btf.kindOf(type) !== BtfKind.VAR)
      throw btf.malformed(id, `section "${name}" holds type ${type}, which is not a variable`);
    // Static variables may share a name; clang gives their offsets, and has no symbol that is certain to be theirs.
    if (btf.wordOf(type, 3) === LINKAGE_GLOBAL) {
      offset = facts.offsetOf(name, btf.strings.name(btf.wordOf(type, 0))) ?? offset;
    }
    variables.push({ type, offset, size });
  }
  variables.sort((a, b) => a.offset - b.offset);
  let end = 0;
  variables.forEach(({ type, offset, size }, i) => {
    if (offset < end || offset + size > sectionSize) {
      throw btf.malformed(
        id,
        `a variable at bytes ${offset} to ${offset + size} does not fit in section "${name}" of ${sectionSize}`,
      );
    }
    end = offset + size;
    types.setUint32(at + 12 + i * 12, type, littleEndian);
    types.setUint32(at + 16 + i * 12, offset, littleEndian);
    types.setUint32(at + 20 + i * 12, size, littleEndian);
  });
  if (sectionSize > 0xffff_ffff)
    throw new InvalidValueError(`section "${name}" has ${sectionSize} bytes, more than 4 GiB`);
  types.setUint32(at + 8, sectionSize, littleEndian);
  // Kernels before 6.11 refuse the name of `?.struct_ops`.
  if (name.startsWith("?")) btf.strings.bytes[btf.wordOf(id, 0)] = UNDERSCORE;
}

function hideFunction(btf: BtfTable, id: number, hidden: ReadonlySet<string>): void {
  if (!hidden.has(btf.strings.name(btf.wordOf(id, 0)))) return;
  const at = btf.offsetOf(id) + 4;
  const info = btf.wordOf(id, 1);
  const types = new DataView(btf.types.bytes.buffer, btf.types.bytes.byteOffset, btf.types.bytes.byteLength);
  types.setUint32(at, (info & 0xff00_0000) >>> 0, btf.types.littleEndian);
}
