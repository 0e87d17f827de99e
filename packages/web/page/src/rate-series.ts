// SPDX-License-Identifier: Apache-2.0

import type { WireRates } from "../../src/wire.ts";

/** Seconds that the plot shows. */
export const PLOT_SECONDS = 300;

/** Events and losses of a stream in consecutive seconds. */
export interface RateSeries {
  /** The second of the last element, since 1970. */
  readonly second: number;
  readonly events: readonly number[];
  readonly lost: readonly number[];
}

/** Appends what came to what was known. Streams that are gone leave. */
export function mergeRates(
  known: ReadonlyMap<string, RateSeries>,
  news: readonly WireRates[],
): Map<string, RateSeries> {
  return new Map(
    news.map(({ stream, from, events, lost }) => {
      const before = known.get(stream);
      // A gap, as after a restart, begins anew: the plot shows it as one.
      const joins = before !== undefined && from === before.second + 1;
      return [
        stream,
        {
          second: from + events.length - 1,
          events: [...(joins ? before.events : []), ...events].slice(-PLOT_SECONDS),
          lost: [...(joins ? before.lost : []), ...lost].slice(-PLOT_SECONDS),
        },
      ];
    }),
  );
}

/** Mean events a second over the last few seconds. */
export function recentRate(series: RateSeries | undefined, seconds = 5): number {
  const recent = series?.events.slice(-seconds) ?? [];
  return recent.length === 0 ? 0 : recent.reduce((sum, events) => sum + events, 0) / recent.length;
}
