// SPDX-License-Identifier: Apache-2.0

import { type ElfFile, SectionType } from "../elf/elf-file.ts";
import { readElf } from "../elf/read-elf.ts";
import type { Random } from "./random.ts";

/** A sound object to make broken ones from. */
export interface FuzzSeed {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Where the numbers lie that say how much of something there is, and where. */
  readonly fields: readonly number[];
}

/** Prepares an object file as a seed. */
export function fuzzSeed(name: string, bytes: Uint8Array): FuzzSeed {
  return { name, bytes, fields: findFields(bytes, readElf(bytes)) };
}

/** Bytes of the records that a section of a type is made of. */
const RECORD_SIZES: ReadonlyMap<number, number> = new Map([
  [SectionType.SYMTAB, 24],
  [SectionType.REL, 16],
  [SectionType.RELA, 24],
]);
const WORD = 4;
/** Header fields are 16-, 32- or 64-bit; a step of 2 meets them all. */
const HEADER_STEP = 2;

function findFields(bytes: Uint8Array, elf: ElfFile): number[] {
  const fields: number[] = [];
  const add = (from: number, to: number, step: number): void => {
    for (let at = from; at < to; at += step) fields.push(at);
  };
  add(16, 64, HEADER_STEP);
  // The section header table is the last thing that compilers write.
  add(bytes.length - elf.sections.length * 64, bytes.length, WORD);
  for (const section of elf.sections) {
    const start = section.bytes.byteOffset - bytes.byteOffset;
    const metadata = section.name === ".BTF" || section.name === ".BTF.ext" || RECORD_SIZES.has(section.type);
    if (metadata) add(start, start + section.bytes.length, WORD);
  }
  return fields;
}

const INTERESTING = [
  0, 1, 2, 7, 8, 0x18, 0x85, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0xff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8,
  0xffff_ffff,
];

/** A broken copy of a seed: one to four changes of a kind each. `others` lend pieces. */
export function mutateObject(seed: FuzzSeed, others: readonly FuzzSeed[], random: Random): Uint8Array {
  let bytes = seed.bytes.slice();
  for (let changes = 1 + random.below(4); changes > 0 && bytes.length > 0; changes--) {
    switch (random.below(8)) {
      case 0:
        flipBits(bytes, random);
        break;
      case 1:
        bytes = bytes.slice(0, random.below(bytes.length));
        break;
      case 2:
        splice(bytes, random.pick(others).bytes, random);
        break;
      case 3:
        write(bytes, random.below(bytes.length), random.pick(INTERESTING), random);
        break;
      case 4:
        write(bytes, random.pick(seed.fields), random.next(), random);
        break;
      case 5:
        nudge(bytes, random.pick(seed.fields), random);
        break;
      default:
        write(bytes, random.pick(seed.fields), chooseNumber(bytes, random), random);
    }
  }
  return bytes;
}

function flipBits(bytes: Uint8Array, random: Random): void {
  for (let count = 1 + random.below(8); count > 0; count--) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
  }
}

function splice(bytes: Uint8Array, donor: Uint8Array, random: Random): void {
  const length = random.below(Math.min(256, bytes.length, donor.length));
  const from = random.below(donor.length - length);
  bytes.set(donor.subarray(from, from + length), random.below(bytes.length - length));
}

function chooseNumber(bytes: Uint8Array, random: Random): number {
  switch (random.below(4)) {
    case 0:
      return bytes.length - random.below(64);
    case 1:
      return random.below(64);
    default:
      return random.pick(INTERESTING);
  }
}

/** Adds or takes away a little: off-by-one errors live there. */
function nudge(bytes: Uint8Array, at: number, random: Random): void {
  if (at < bytes.length) bytes[at] = (bytes[at] as number) + random.below(17) - 8;
}

/** Writes 1, 2, 4 or 8 bytes in one of the byte orders, as far as they fit. */
function write(bytes: Uint8Array, at: number, value: number, random: Random): void {
  const size = 1 << random.below(4);
  const little = random.below(4) !== 0;
  for (let i = 0; i < size; i++) {
    const shift = (little ? i : size - 1 - i) * 8;
    const place = at + i;
    if (place < bytes.length) bytes[place] = shift < 32 ? value >>> shift : 0;
  }
}
