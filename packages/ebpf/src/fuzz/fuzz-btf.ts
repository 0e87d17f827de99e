// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { writeBtf } from "../btf/btf-builder.ts";
import { printC, vmlinuxHeader } from "../btf/c/print-c.ts";
import { deduplicateBtf } from "../btf/deduplicate.ts";
import { readBtf, readSplitBtf } from "../btf/read-btf.ts";
import { codecFor } from "../codec-for.ts";
import { printTypeScript } from "../codegen/print-typescript.ts";
import { applyCoreRelocations } from "../core/apply-core-relocations.ts";
import type { ProgramSpec } from "../program-spec.ts";
import { type FuzzResult, measure, refusal } from "./fuzz-result.ts";
import { type FuzzSeed, mutateObject } from "./mutate-object.ts";
import { Random } from "./random.ts";

/** Sound BTF to make broken BTF from. */
export interface BtfSeed extends FuzzSeed {
  /** For split BTF: what it stands on, which stays sound. */
  readonly base?: Btf;
}

/** A program whose CO-RE relocations are applied against what is broken, and the types that it was compiled with. */
export interface RelocatedProgram {
  readonly program: ProgramSpec;
  readonly btf: Btf;
}

/** Codecs are made for so many types of an input, and values of up to so many bytes go through them. */
const CODECS = 100;
const MAXIMUM_VALUE = 1 << 16;

/** Prepares raw BTF as a seed: the numbers that matter are those of the header and of the types. */
export function btfSeed(name: string, bytes: Uint8Array, base?: Btf): BtfSeed {
  const header = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, bytes[0] === 0x9f);
  const types = new DataView(bytes.buffer, bytes.byteOffset).getUint32(12, bytes[0] === 0x9f);
  const fields = Array.from({ length: Math.floor((header + types) / 4) }, (_, i) => i * 4);
  return { name, bytes, fields, ...(base === undefined ? {} : { base }) };
}

/**
 * Makes the BTF of one seed number and does with it all that there is to do: reads it, decodes each type, prints
 * it as C and TypeScript, writes and deduplicates it, makes codecs, and looks for the types of CO-RE relocations in
 * it. Throws whatever is not a SkepError, and when writing and reading gives other types: those are bugs.
 */
export function fuzzBtf(seeds: readonly BtfSeed[], programs: readonly RelocatedProgram[], number: number): FuzzResult {
  const random = new Random(number);
  const seed = random.pick(seeds);
  const bytes = mutateObject(seed, seeds, random);
  return measure(number, bytes.length, () => {
    const btf = seed.base === undefined ? readBtf(bytes) : readSplitBtf(bytes, seed.base);
    for (const action of [decodeAll, printC, vmlinuxHeader, printTypeScript, writeAgain, deduplicate]) {
      refusal(number, () => action(btf));
    }
    const first = btf.typeCount - Math.min(CODECS, btf.typeCount - 1);
    for (let id = first; id < btf.typeCount; id++) refusal(number, () => passValue(btf, id));
    for (const { program, btf: local } of programs) {
      refusal(number, () => applyCoreRelocations(program, local, btf));
      refusal(number, () => applyCoreRelocations({ ...program, functionInfo: [] }, btf, local));
    }
  });
}

function decodeAll(btf: Btf): void {
  for (let id = 1; id < btf.typeCount; id++) {
    const { name } = btf.typeById(id);
    btf.idsByName(name);
    btf.idsByEssentialName(name);
    btf.resolve(id);
  }
}

function writeAgain(btf: Btf): void {
  const written = writeBtf(btf);
  const again = readBtf(written);
  for (let id = 1; id < btf.typeCount; id++) {
    if (asText(again.typeById(id)) === asText(btf.typeById(id))) continue;
    throw new Error(`type ${id} is ${asText(btf.typeById(id))}, written and read ${asText(again.typeById(id))}`);
  }
}

function asText(type: unknown): string {
  return JSON.stringify(type, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
}

function deduplicate(btf: Btf): void {
  decodeAll(readBtf(deduplicateBtf(btf).bytes));
}

function passValue(btf: Btf, id: number): void {
  const codec = codecFor(btf, id);
  if (codec.size > MAXIMUM_VALUE) return;
  const bytes = new Uint8Array(codec.size);
  codec.encode(codec.decode(bytes, 0), bytes, 0);
}
