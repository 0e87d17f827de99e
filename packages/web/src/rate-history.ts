// SPDX-License-Identifier: Apache-2.0

import type { LedgerSnapshot } from "@skep/rows";
import type { WireRates } from "./wire.ts";

/** How many seconds the history reaches back: 5 minutes. */
export const HISTORY_SECONDS = 300;

interface Series {
  decoded: number;
  lost: number;
  /** The second of the newest element. */
  second: number;
  readonly events: number[];
  readonly losses: number[];
}

/** Events and losses of each stream, second by second, from the ledgers' counts. */
export class RateHistory {
  readonly #series = new Map<string, Series>();

  /** Takes the counts in, as they are at `second` (since 1970). Called once a second. */
  sample(ledgers: readonly LedgerSnapshot[], second: number): void {
    const gone = new Set(this.#series.keys());
    for (const ledger of ledgers) {
      gone.delete(ledger.stream);
      const series = this.#series.get(ledger.stream);
      const decoded = ledger.decoder.decoded;
      const lost = lostIn(ledger);
      if (series === undefined) {
        this.#series.set(ledger.stream, { decoded, lost, second, events: [], losses: [] });
      } else if (second > series.second) {
        advance(series, decoded, lost, second);
      }
    }
    for (const stream of gone) this.#series.delete(stream);
  }

  /** The seconds after `since`, for each stream. */
  after(since: number): WireRates[] {
    return [...this.#series].map(([stream, { second, events, losses }]) => {
      const first = Math.max(since + 1, second - events.length + 1);
      const skip = events.length - (second - first + 1);
      return { stream, from: first, events: events.slice(skip), lost: losses.slice(skip) };
    });
  }
}

/** Everything that a stream lost, wherever that was: no room in the kernel, unreadable, or turned away by a sink. */
export function lostIn(ledger: LedgerSnapshot): number {
  const dropped = ledger.sinks.reduce((sum, sink) => sum + sink.dropped, 0);
  return (ledger.kernel?.failed ?? 0) + ledger.reader.lost + ledger.decoder.malformed + dropped;
}

function advance(series: Series, decoded: number, lost: number, second: number): void {
  // A stream that was opened again counts from zero.
  const events = decoded < series.decoded ? decoded : decoded - series.decoded;
  const losses = lost < series.lost ? lost : lost - series.lost;
  const elapsed = second - series.second;
  // What came while this process could not sample is spread evenly over that time.
  for (let i = 0; i < Math.min(elapsed, HISTORY_SECONDS); i++) {
    series.events.push(events / elapsed);
    series.losses.push(losses / elapsed);
  }
  series.events.splice(0, series.events.length - HISTORY_SECONDS);
  series.losses.splice(0, series.losses.length - HISTORY_SECONDS);
  Object.assign(series, { decoded, lost, second });
}
