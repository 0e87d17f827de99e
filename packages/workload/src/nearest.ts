// SPDX-License-Identifier: Apache-2.0

import { distance } from "fastest-levenshtein";

/** Longer words are nobody's typing error; comparing them would cost time. */
const LONGEST = 64;

/**
 * The candidate that `word` most likely meant, or undefined when none is near. Near is an edit in three letters,
 * and at least one; the case of letters does not count.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LONGEST) return undefined;
  const lower = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = distance(lower, candidate.toLowerCase());
    if (edits < bestDistance) {
      best = candidate;
      bestDistance = edits;
    }
  }
  return best;
}
