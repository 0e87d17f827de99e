// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from "preact/hooks";
import type { Overview } from "../../src/wire.ts";
import { mergeRates, type RateSeries } from "./rate-series.ts";

/** `refused`: the token is not, or no longer, valid. */
export type Connection = "connecting" | "live" | "lost" | "refused";

/** The overview as it was last heard. */
export interface OverviewState {
  readonly overview: Overview | undefined;
  readonly connection: Connection;
  readonly rates: ReadonlyMap<string, RateSeries>;
  /** When each stream's ledger last changed: milliseconds of this machine's clock. */
  readonly changedAt: ReadonlyMap<string, number>;
}

const POLL_MS = 1000;
const TIMEOUT_MS = 5000;

/** Asks for the overview every second. */
export function useOverview(): OverviewState {
  const [state, setState] = useState<OverviewState>({
    overview: undefined,
    connection: "connecting",
    rates: new Map(),
    changedAt: new Map(),
  });
  useEffect(() => {
    let current = state;
    let timer: ReturnType<typeof setTimeout>;
    const stop = new AbortController();
    const poll = async (): Promise<void> => {
      current = await next(current, stop.signal);
      if (stop.signal.aborted) return;
      setState(current);
      timer = setTimeout(() => void poll(), POLL_MS);
    };
    void poll();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, []);
  return state;
}

async function next(state: OverviewState, signal: AbortSignal): Promise<OverviewState> {
  const since = Math.max(0, ...[...state.rates.values()].map(({ second }) => second));
  try {
    const response = await fetch(`api/overview?since=${since}`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (response.status === 401) return { ...state, connection: "refused" };
    if (!response.ok) return { ...state, connection: "lost" };
    const overview = (await response.json()) as Overview;
    return {
      overview,
      connection: "live",
      rates: mergeRates(state.rates, overview.rates),
      changedAt: changes(state, overview),
    };
  } catch {
    // The server cannot be reached; the next second tries again.
    return { ...state, connection: "lost" };
  }
}

function changes({ overview, changedAt }: OverviewState, next: Overview): Map<string, number> {
  const before = new Map(overview?.ledgers.map((ledger) => [ledger.stream, JSON.stringify(ledger)]));
  const now = Date.now();
  return new Map(
    next.ledgers.map((ledger) => {
      const same = before.get(ledger.stream) === JSON.stringify(ledger);
      return [ledger.stream, same ? (changedAt.get(ledger.stream) ?? now) : now];
    }),
  );
}
