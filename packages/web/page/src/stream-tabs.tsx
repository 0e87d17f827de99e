// SPDX-License-Identifier: Apache-2.0

import type { WireLedger, WireStream } from "../../src/wire.ts";
import { rate } from "./format.ts";
import { type Place, placeHash } from "./hash.ts";
import { lostIn } from "./ledger-steps.ts";
import { type RateSeries, recentRate } from "./rate-series.ts";

interface StreamTabsProps {
  streams: readonly WireStream[];
  current: WireStream;
  rates: ReadonlyMap<string, RateSeries>;
  ledgers: readonly WireLedger[];
  place: Place;
}

/** One link a stream, with its rate and, when it lost any, a mark. */
export function StreamTabs({ streams, current, rates, ledgers }: StreamTabsProps) {
  return (
    <nav class="tabs" aria-label="Streams">
      {streams.map((stream) => {
        const { name, description } = stream.schema;
        const ledger = ledgers.find((candidate) => candidate.stream === name);
        const lost = ledger === undefined ? 0 : lostIn(ledger);
        return (
          <a
            key={name}
            href={placeHash({ stream: name, where: "" })}
            aria-current={stream === current ? "page" : undefined}
            title={description}
          >
            {name}
            <span class="rate">{rate(recentRate(rates.get(name)))}/s</span>
            {lost > 0 && <span class="lost-mark" role="img" aria-label="Events were lost" title="Events were lost" />}
          </a>
        );
      })}
    </nav>
  );
}
