// SPDX-License-Identifier: Apache-2.0

import type { CollectionSpec } from "../collection-spec.ts";
import { applyCoreRelocations } from "../core/apply-core-relocations.ts";
import { disassemble } from "../disassemble.ts";
import { linkObjects } from "../linker/link-objects.ts";
import { parseObject } from "../parse-object.ts";
import { type FuzzResult, measure, refusal } from "./fuzz-result.ts";
import { type FuzzSeed, mutateObject } from "./mutate-object.ts";
import { Random } from "./random.ts";

/**
 * Makes the object of one seed number, parses it, and looks at everything that is decoded only when asked for:
 * types, CO-RE relocations, instructions. Throws whatever is not a SkepError: that is a bug.
 */
export function fuzzObject(seeds: readonly FuzzSeed[], number: number): FuzzResult {
  const random = new Random(number);
  const bytes = mutateObject(random.pick(seeds), seeds, random);
  return measure(number, bytes.length, () => exercise(parseObject(bytes)));
}

/**
 * Makes the object of one seed number and links it, alone and with a sound one; what comes out is read again. Throws
 * whatever is not a SkepError, and when the linker's own work cannot be read.
 */
export function fuzzLinker(seeds: readonly FuzzSeed[], number: number): FuzzResult {
  const random = new Random(number);
  // Half of the time two that fit together: of others most are refused at their first symbol.
  const pair = seeds.filter(({ name }) => name.startsWith("join-"));
  const some = pair.length > 1 && random.below(2) === 0 ? pair : seeds;
  const seed = random.pick(some);
  const bytes = mutateObject(seed, seeds, random);
  const other = random.pick(some.filter((candidate) => candidate !== seed));
  const broken = { name: "broken", bytes };
  return measure(number, bytes.length + other.bytes.length, () => {
    refusal(number, () => linkObjects([other, broken]));
    const linked = linkObjects([broken]);
    refusal(number, () => parseObject(linked));
    linkObjects([{ name: "linked", bytes: linked }]);
  });
}

/** Stops at the first refusal, as a loader would. */
function exercise(spec: CollectionSpec): void {
  const { btf } = spec;
  if (btf === undefined) return;
  for (const program of spec.programs.values()) {
    disassemble(program, { btf, lines: true, byteOrder: spec.byteOrder });
    applyCoreRelocations(program, btf, btf);
  }
  for (let id = 1; id < btf.typeCount; id++) {
    btf.resolve(id);
    btf.idsByEssentialName(btf.typeById(id).name);
  }
}
