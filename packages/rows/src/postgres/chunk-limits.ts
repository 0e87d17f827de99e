// SPDX-License-Identifier: Apache-2.0

import type { Retention } from "../retention.ts";

/** How long a chunk takes rows at most when no age is kept to, in seconds. */
const DAY = 86_400;

/** Chunks of an hour are small enough, where an age of a day or more is kept. */
const HOUR = 3600;

/** Parts of a size, or of a short age, that dropping a chunk takes away one of. */
const PARTS = 8;

/** Chunks that a long age is cut into at most: every query of the stream looks at each. */
const MOST_BY_AGE = 24;

/** When a chunk has had enough. */
export interface ChunkLimits {
  /** Seconds since it was made. */
  readonly age: number;
  /** Bytes, indexes included. */
  readonly size: number;
}

/**
 * The limits of a chunk under a retention: an eighth of the size; an hour, but at most an eighth of the age and at
 * least a 24th; a day without an age.
 */
export function chunkLimits(retention: Retention): ChunkLimits {
  return {
    age:
      retention.age === undefined ? DAY : Math.max(Math.min(HOUR, retention.age / PARTS), retention.age / MOST_BY_AGE),
    size: Math.floor((retention.size ?? Number.POSITIVE_INFINITY) / PARTS),
  };
}
