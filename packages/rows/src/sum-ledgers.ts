// SPDX-License-Identifier: Apache-2.0

import type { LedgerSnapshot, SinkCounts } from "./ledger.ts";

/**
 * Adds up the ledgers of one stream: of the times that it was open one after another. Sinks are the same when their
 * names are; the last failure that has not passed is kept. What one ledger has too much and the next too little, such
 * as records that lay in the ring when the stream changed hands, is no difference.
 */
export function sumLedgers(first: LedgerSnapshot, second: LedgerSnapshot): LedgerSnapshot {
  return {
    stream: second.stream,
    workload: second.workload,
    kernel:
      first.kernel === undefined
        ? second.kernel
        : second.kernel === undefined
          ? first.kernel
          : add(first.kernel, second.kernel),
    reader: add(first.reader, second.reader),
    decoder: add(first.decoder, second.decoder),
    sinks: sumSinks(first.sinks, second.sinks),
    differences: sumDifferences(first, second),
  };
}

/** Adds two objects of numbers key by key. */
function add<T extends object>(first: T, second: T): T {
  const entries = Object.entries(first).map(([key, value]) => [key, value + (second as Record<string, number>)[key]]);
  return Object.fromEntries(entries) as T;
}

function sumSinks(first: readonly SinkCounts[], second: readonly SinkCounts[]): SinkCounts[] {
  const sums = new Map(first.map((counts) => [counts.sink, counts]));
  for (const counts of second) {
    const { sink, error, ...numbers } = counts;
    const before = sums.get(sink);
    if (before === undefined) {
      sums.set(sink, counts);
      continue;
    }
    const { sink: _, error: earlier, ...numbersBefore } = before;
    const failing = error ?? earlier;
    sums.set(sink, { sink, ...add(numbersBefore, numbers), ...(failing === undefined ? {} : { error: failing }) });
  }
  return [...sums.values()];
}

function sumDifferences(first: LedgerSnapshot, second: LedgerSnapshot): LedgerSnapshot["differences"] {
  const sums = new Map<string, number>();
  for (const { law, difference } of [...first.differences, ...second.differences]) {
    sums.set(law, (sums.get(law) ?? 0) + difference);
  }
  return [...sums].filter(([, difference]) => difference !== 0).map(([law, difference]) => ({ law, difference }));
}
