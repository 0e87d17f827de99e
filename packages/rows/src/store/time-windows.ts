// SPDX-License-Identifier: Apache-2.0

/** Times from the first, included, to the last, not included; open where undefined. Microseconds since 1970. */
export interface TimeWindow {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** First and last time of a chunk. */
export interface ChunkTimes {
  readonly oldest: number;
  readonly newest: number;
}

/** A query looks at no more windows than this: each is a statement. */
const MOST = 64;

/** Lengths of the first windows of a query that begins with the newest rows: usually these hold all that it wants. */
const RECENT = [1e6, 8e6, 64e6, 512e6, 4096e6];

/**
 * Cuts all of time into windows in the order in which a query reads them, so that its first rows are there before
 * its last are sorted. The cuts follow the chunks, which hold a stretch of time each; near the newest row, when
 * these come first, they are narrower.
 */
export function timeWindows(chunks: readonly ChunkTimes[], newestFirst: boolean): TimeWindow[] {
  const newest = Math.max(...chunks.map((chunk) => chunk.newest));
  const starts = chunks.map(({ oldest }) => oldest);
  const recent = newestFirst && chunks.length > 0 ? RECENT.map((length) => newest - length) : [];
  const cuts = [...new Set([...thinned(starts.toSorted((a, b) => a - b)), ...recent])].sort((a, b) => a - b);
  const windows: TimeWindow[] = [];
  for (let index = 0; index <= cuts.length; index++) windows.push({ from: cuts[index - 1], to: cuts[index] });
  return newestFirst ? windows.reverse() : windows;
}

/** Every n-th of the cuts, when there are too many. */
function thinned(cuts: readonly number[]): number[] {
  const step = Math.ceil(cuts.length / (MOST - RECENT.length - 1));
  return cuts.filter((_, index) => index % step === 0);
}
