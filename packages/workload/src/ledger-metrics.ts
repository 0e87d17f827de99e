// SPDX-License-Identifier: Apache-2.0

import type { LedgerSnapshot } from "@skep/rows";
import { Counter, Gauge, type Registry } from "prom-client";

type Labels = Record<string, string>;
type Emit = (labels: Labels, value: number) => void;

/**
 * Adds the loss ledgers to a registry. They are read when it is scraped, once for all of the metrics:
 *
 * - `skep_rows_total{workload,stream,stage,sink}`: rows that came by a stage. Stages of the program, the reader and
 *   the decoder (`seen`, `filtered`, `failed`, `submitted`, `read`, `discarded`, `lost`, `decoded`, `malformed`)
 *   have an empty `sink`; `offered`, `written` and `dropped` name one.
 * - `skep_sink_pending_rows`, `skep_sink_retries_total`, `skep_sink_failing` (1 while a failure lasts) of each sink.
 * - `skep_ledger_difference_rows{workload,stream,law}`: by how much a law of the ledger does not hold. Passes while
 *   rows flow; at rest it is a bug.
 */
export function ledgerMetrics(registry: Registry, read: () => readonly LedgerSnapshot[]): void {
  let current: readonly LedgerSnapshot[] | undefined;
  const snapshots = (): readonly LedgerSnapshot[] => {
    if (current === undefined) {
      current = read();
      // A scrape asks all metrics in one go, so they agree; the next one reads anew.
      queueMicrotask(() => {
        current = undefined;
      });
    }
    return current;
  };
  const registers = [registry];
  const stream = ["workload", "stream"];
  const sink = [...stream, "sink"];

  new Counter({
    name: "skep_rows_total",
    help: "Rows that came by a stage, from the program in the kernel to each sink.",
    labelNames: [...sink, "stage"],
    registers,
    collect(): void {
      this.reset();
      for (const snapshot of snapshots()) rowsOf(snapshot, (labels, value) => this.inc(labels, value));
    },
  });
  const ofSinks = (emit: Emit, value: (counts: LedgerSnapshot["sinks"][number]) => number): void => {
    for (const snapshot of snapshots()) {
      for (const counts of snapshot.sinks) emit({ ...streamLabels(snapshot), sink: counts.sink }, value(counts));
    }
  };
  new Gauge({
    name: "skep_sink_pending_rows",
    help: "Rows that wait in a sink's queue or are being written.",
    labelNames: sink,
    registers,
    collect(): void {
      this.reset();
      ofSinks(
        (labels, value) => this.set(labels, value),
        (counts) => counts.pending,
      );
    },
  });
  new Counter({
    name: "skep_sink_retries_total",
    help: "Writes to a sink that failed and were, or will be, repeated.",
    labelNames: sink,
    registers,
    collect(): void {
      this.reset();
      ofSinks(
        (labels, value) => this.inc(labels, value),
        (counts) => counts.retries,
      );
    },
  });
  new Gauge({
    name: "skep_sink_failing",
    help: "1 while a sink has not recovered from its last failure, 0 otherwise.",
    labelNames: sink,
    registers,
    collect(): void {
      this.reset();
      ofSinks(
        (labels, value) => this.set(labels, value),
        (counts) => (counts.error === undefined ? 0 : 1),
      );
    },
  });
  new Gauge({
    name: "skep_ledger_difference_rows",
    help: "Rows by which a law of the ledger does not hold. At rest, anything here is a bug.",
    labelNames: [...stream, "law"],
    registers,
    collect(): void {
      this.reset();
      for (const snapshot of snapshots()) {
        for (const { law, difference } of snapshot.differences)
          this.set({ ...streamLabels(snapshot), law }, difference);
      }
    },
  });
}

function rowsOf(snapshot: LedgerSnapshot, emit: Emit): void {
  const labels = { ...streamLabels(snapshot), sink: "" };
  for (const counts of [snapshot.kernel, snapshot.reader, snapshot.decoder]) {
    for (const [stage, rows] of Object.entries(counts ?? {})) emit({ ...labels, stage }, rows);
  }
  for (const { sink, offered, written, dropped } of snapshot.sinks) {
    for (const [stage, rows] of Object.entries({ offered, written, dropped })) emit({ ...labels, sink, stage }, rows);
  }
}

function streamLabels({ workload, stream }: LedgerSnapshot): Labels {
  return { workload, stream };
}
