// SPDX-License-Identifier: Apache-2.0

import { ElfTables } from "./elf-tables.ts";

/** A place in the code of a program or library that is a USDT probe. A probe may have several places. */
export interface UsdtSite {
  readonly provider: string;
  readonly name: string;
  /** Virtual address of the instruction, as the file is linked. */
  readonly address: number;
  /** Whether the file is loaded at the addresses that it is linked for, which position-independent ones are not. */
  readonly fixed: boolean;
  /** The same in bytes from the beginning of the file: what uprobes take. */
  readonly offset: number;
  /** File offset of the 16-bit counter that tells the program whether anybody listens; undefined when it has none. */
  readonly semaphoreOffset: number | undefined;
  /** Where the arguments are, as the compiler wrote it: `-4@%eax 8@-16(%rbp)`. */
  readonly arguments: string;
}

const SHT_NOTE = 7;
const NOTE_NAME = "stapsdt\0";
const NOTE_TYPE = 3;

/**
 * The USDT probes of a 64-bit little-endian ELF file: the notes of `.note.stapsdt` (systemtap's `sys/sdt.h`). Addresses
 * are corrected by the place of `.stapsdt.base`, which prelink moves and the notes do not know. Throws RangeError for a
 * file of another kind and for a malformed note.
 */
export function usdtSites(path: string): UsdtSite[] {
  using file = new ElfTables(path);
  const base = file.sections.find(({ name }) => name === ".stapsdt.base")?.address;
  const sites: UsdtSite[] = [];
  for (const { name, type, offset, size } of file.sections) {
    if (name !== ".note.stapsdt" || type !== SHT_NOTE) continue;
    const notes = file.read(offset, size, ".note.stapsdt");
    for (const description of notesIn(notes, path)) sites.push(siteOf(description, base, file));
  }
  return sites;
}

/**
 * Virtual addresses of symbols by name, functions and variables alike. A name that stands for several addresses (static
 * variables of several files) is left out.
 */
export function symbolAddresses(path: string): ReadonlyMap<string, number> {
  using file = new ElfTables(path);
  const found = new Map<string, number>();
  const ambiguous = new Set<string>();
  for (const { name, value } of file.symbols()) {
    if (found.has(name) && found.get(name) !== value) ambiguous.add(name);
    found.set(name, value);
  }
  for (const name of ambiguous) found.delete(name);
  return found;
}

/** The descriptions of the section's USDT notes. Sizes are those of `Elf64_Nhdr`; each part is padded to 4 bytes. */
function* notesIn(notes: Buffer, path: string): Generator<Buffer> {
  for (let at = 0; at + 12 <= notes.length; ) {
    const nameSize = notes.readUInt32LE(at);
    const descriptionSize = notes.readUInt32LE(at + 4);
    const type = notes.readUInt32LE(at + 8);
    const start = at + 12 + pad(nameSize);
    const end = start + descriptionSize;
    if (end > notes.length) throw new RangeError(`${path}: a note of .note.stapsdt ends beyond the section`);
    const name = notes.toString("latin1", at + 12, at + 12 + nameSize);
    if (type === NOTE_TYPE && name === NOTE_NAME) yield notes.subarray(start, end);
    at = start + pad(descriptionSize);
  }
}

function pad(size: number): number {
  return Math.ceil(size / 4) * 4;
}

/** Three addresses (the instruction, `.stapsdt.base` when the file was linked, the semaphore), then three strings. */
function siteOf(description: Buffer, base: number | undefined, file: ElfTables): UsdtSite {
  const texts = description.toString("latin1", 24).split("\0");
  const [provider, name, text] = texts;
  if (description.length < 24 || provider === undefined || name === undefined || text === undefined) {
    throw new RangeError(`${file.path}: a note of .note.stapsdt has no provider, name and arguments`);
  }
  const moved = base === undefined ? 0 : base - Number(description.readBigUInt64LE(8));
  const address = Number(description.readBigUInt64LE(0)) + moved;
  const offset = file.fileOffset(address);
  const probe = `${file.path}: USDT probe ${provider}:${name}`;
  if (offset === undefined) throw new RangeError(`${probe} lies at 0x${address.toString(16)}, outside of the file`);
  const semaphore = Number(description.readBigUInt64LE(16));
  const semaphoreOffset = semaphore === 0 ? undefined : file.fileOffset(semaphore + moved);
  if (semaphore !== 0 && semaphoreOffset === undefined) {
    throw new RangeError(`${probe} has a semaphore at 0x${(semaphore + moved).toString(16)}, outside of the file`);
  }
  return { provider, name, address, fixed: file.fixed, offset, semaphoreOffset, arguments: text };
}
