// SPDX-License-Identifier: Apache-2.0

import { SkepError } from "../errors.ts";

/** What became of one mutated input. */
export interface FuzzResult {
  /** `parsed`, or the stable code of the error that refused it. */
  readonly outcome: string;
  /** How long it took, in milliseconds. */
  readonly milliseconds: number;
  /** Bytes of the input. */
  readonly size: number;
}

/**
 * Runs what an input is put through, and times it. Throws whatever is not a SkepError, with the seed: that is a bug.
 */
export function measure(number: number, size: number, action: () => void): FuzzResult {
  const start = performance.now();
  const outcome = refusal(number, action) ?? "parsed";
  return { outcome, milliseconds: performance.now() - start, size };
}

/** The code of the error that an action was refused with. Throws whatever is not a SkepError, with the seed. */
export function refusal(number: number, action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (!(error instanceof SkepError)) throw new Error(`seed ${number}: ${String(error)}`, { cause: error });
    return error.code;
  }
}
