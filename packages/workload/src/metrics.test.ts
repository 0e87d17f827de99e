// SPDX-License-Identifier: Apache-2.0

import type { LedgerSnapshot } from "@skep/rows";
import { describe, expect, it } from "vitest";
import { ledgerMetrics } from "./ledger-metrics.ts";
import { createMetrics } from "./metrics.ts";

const ledger = (written: number): LedgerSnapshot => ({
  stream: "exec",
  workload: "exec-1",
  kernel: { seen: 10, filtered: 2, failed: 1, submitted: 7 },
  reader: { read: 7, discarded: 0, lost: 0 },
  decoder: { decoded: 6, malformed: 1 },
  sinks: [
    { sink: "store", offered: 6, written, dropped: 0, pending: 6 - written, retries: 3, error: "disk full" },
    { sink: "memory", offered: 6, written: 6, dropped: 0, pending: 0, retries: 0 },
  ],
  differences: [{ law: "read = decoded + malformed", difference: -2 }],
});

describe("createMetrics", () => {
  it("has the process's metrics only when asked", async () => {
    expect(await createMetrics().metrics()).toBe("\n");
    expect(await createMetrics({ process: true }).metrics()).toContain("process_resident_memory_bytes");
  });
});

describe("ledgerMetrics", () => {
  it("shows every count of every stage", async () => {
    const registry = createMetrics();
    ledgerMetrics(registry, () => [ledger(4)]);
    const text = await registry.metrics();
    for (const [stage, rows] of Object.entries({
      seen: 10,
      filtered: 2,
      failed: 1,
      submitted: 7,
      read: 7,
      decoded: 6,
      malformed: 1,
    })) {
      expect(text).toContain(`skep_rows_total{workload="exec-1",stream="exec",sink="",stage="${stage}"} ${rows}\n`);
    }
    const store = 'workload="exec-1",stream="exec",sink="store"';
    expect(text).toContain(`skep_rows_total{${store},stage="written"} 4\n`);
    expect(text).toContain(`skep_rows_total{${store},stage="offered"} 6\n`);
    expect(text).toContain(`skep_rows_total{${store},stage="dropped"} 0\n`);
    expect(text).toContain(`skep_sink_pending_rows{${store}} 2\n`);
    expect(text).toContain(`skep_sink_retries_total{${store}} 3\n`);
    expect(text).toContain(`skep_sink_failing{${store}} 1\n`);
    expect(text).toContain('skep_sink_failing{workload="exec-1",stream="exec",sink="memory"} 0\n');
    expect(text).toContain(
      'skep_ledger_difference_rows{workload="exec-1",stream="exec",law="read = decoded + malformed"} -2\n',
    );
    expect(text).toContain("# TYPE skep_rows_total counter");
    expect(text).toContain("# HELP skep_rows_total Rows that came by a stage");
  });

  it("reads the ledgers once a scrape, and anew for each; streams that ended go away", async () => {
    const registry = createMetrics();
    let reads = 0;
    ledgerMetrics(registry, () => {
      reads++;
      return reads < 3 ? [{ ...ledger(reads), kernel: undefined }] : [];
    });
    expect(await registry.metrics()).toContain('sink="store",stage="written"} 1\n');
    expect(reads).toBe(1);
    const second = await registry.metrics();
    expect(second).toContain('sink="store",stage="written"} 2\n');
    expect(second).not.toContain('stage="seen"');
    expect(await registry.metrics()).not.toContain("exec-1");
  });
});
