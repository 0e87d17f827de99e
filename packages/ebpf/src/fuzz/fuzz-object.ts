// SPDX-License-Identifier: Apache-2.0

import type { CollectionSpec } from "../collection-spec.ts";
import { applyCoreRelocations } from "../core/apply-core-relocations.ts";
import { disassemble } from "../disassemble.ts";
import { SkepError } from "../errors.ts";
import { parseObject } from "../parse-object.ts";
import { type FuzzSeed, mutateObject } from "./mutate-object.ts";
import { Random } from "./random.ts";

/** What became of one mutated object. */
export interface FuzzResult {
  /** `parsed`, or the stable code of the error that refused it. */
  readonly outcome: string;
  /** How long the parser took, in milliseconds. */
  readonly milliseconds: number;
}

/**
 * Makes the object of one seed number, parses it, and looks at everything that is decoded only when asked for:
 * types, CO-RE relocations, instructions. Throws whatever is not a SkepError: that is a bug.
 */
export function fuzzObject(seeds: readonly FuzzSeed[], number: number): FuzzResult {
  const random = new Random(number);
  const bytes = mutateObject(random.pick(seeds), seeds, random);
  const start = performance.now();
  let outcome = "parsed";
  try {
    exercise(parseObject(bytes));
  } catch (error) {
    if (!(error instanceof SkepError)) throw new Error(`seed ${number}: ${String(error)}`, { cause: error });
    outcome = error.code;
  }
  return { outcome, milliseconds: performance.now() - start };
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
