// SPDX-License-Identifier: Apache-2.0

import type { LedgerSnapshot } from "@skep/rows";
import { describe, expect, it } from "vitest";
import { HISTORY_SECONDS, RateHistory } from "./rate-history.ts";

function ledger(decoded: number, failed = 0, dropped = 0): LedgerSnapshot {
  return {
    stream: "exec",
    workload: "exec",
    kernel: { seen: decoded + failed, filtered: 0, failed, submitted: decoded },
    reader: { read: decoded, discarded: 0, lost: 0 },
    decoder: { decoded, malformed: 0 },
    sinks: [{ sink: "store", offered: decoded, written: decoded - dropped, dropped, pending: 0, retries: 0 }],
    differences: [],
  };
}

describe("RateHistory", () => {
  it("counts events and losses of each second, wherever they were lost", () => {
    const history = new RateHistory();
    history.sample([ledger(100)], 10);
    history.sample([ledger(107)], 11);
    history.sample([ledger(107, 3, 2)], 12);
    expect(history.after(0)).toEqual([{ stream: "exec", from: 11, events: [7, 0], lost: [0, 5] }]);
    expect(history.after(11)).toEqual([{ stream: "exec", from: 12, events: [0], lost: [5] }]);
    expect(history.after(12)).toEqual([{ stream: "exec", from: 13, events: [], lost: [] }]);
  });

  it("spreads what came while it could not sample, and loses none of it", () => {
    const history = new RateHistory();
    history.sample([ledger(0)], 10);
    history.sample([ledger(12)], 14);
    expect(history.after(0)).toMatchObject([{ from: 11, events: [3, 3, 3, 3] }]);
  });

  it("begins again when a stream was opened again, and forgets one that is gone", () => {
    const history = new RateHistory();
    history.sample([ledger(50)], 1);
    history.sample([ledger(4)], 2);
    expect(history.after(0)).toMatchObject([{ events: [4] }]);
    history.sample([], 3);
    expect(history.after(0)).toEqual([]);
  });

  it("reaches back five minutes", () => {
    const history = new RateHistory();
    for (let second = 0; second <= 2 * HISTORY_SECONDS; second++) history.sample([ledger(second)], second);
    const [rates] = history.after(0);
    expect(rates?.events).toHaveLength(HISTORY_SECONDS);
    expect(rates?.from).toBe(HISTORY_SECONDS + 1);
  });
});
