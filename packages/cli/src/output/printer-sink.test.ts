// SPDX-License-Identifier: Apache-2.0

import { batchOf, type ColumnBatch, RowHub, type RowSchema } from "@skep/rows";
import { describe, expect, it, vi } from "vitest";
import { ReaderGoneError } from "./print.ts";
import { PrinterSink } from "./printer-sink.ts";

const schema: RowSchema = {
  name: "exec",
  columns: [
    { name: "comm", type: "text" },
    { name: "args", type: "texts" },
    { name: "count", type: "u64" },
  ],
};
const time = new Date(2026, 0, 5, 12).getTime() * 1000;

function batch(comm: string): ColumnBatch {
  const rows = [{ time: new Date(time / 1000).toISOString(), comm, args: ["a", "b c"], count: 2n ** 60n }];
  return batchOf(schema, { node: "n", workload: "w" }, rows);
}

describe("rows on standard output", () => {
  it("are printed as a table straight from their columns, and cannot draw on the terminal", async () => {
    const printed: string[] = [];
    const sink = new PrinterSink("table", async (text) => void printed.push(text));
    await sink.write([batch("\x9bm\u202e")]);
    await sink.write([batch("ok")]);
    expect(
      printed
        .join("")
        .split("\n")
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ["2026-01-05", "node", "workload", "comm", "args", "count"],
      ["12:00:00.000", "n", "w", "\\x9bm\\u202e", 'a "b c"', "1152921504606846976"],
      ["12:00:00.000", "n", "w", "ok", 'a "b c"', "1152921504606846976"],
      [""],
    ]);
  });

  it("wait for a reader that is slow: the queue before them fills, and what it does not hold is counted", async () => {
    const sink = new PrinterSink("json", () => new Promise(() => undefined));
    const hub = new RowHub({ sinks: [sink], queueBytes: 2000, closeTimeout: 20 });
    const stream = hub.open(schema, { workload: "w" });
    for (let i = 0; i < 100; i++) {
      stream.ledger.countDecoded(1, 0);
      stream.write(batch("x".repeat(100)));
    }
    const [counts] = stream.ledger.snapshot().sinks;
    expect(counts?.dropped).toBeGreaterThan(50);
    await hub.close();
    expect(hub.ledgers()[0]?.sinks).toMatchObject([{ sink: "output", written: 0, dropped: 100, pending: 0 }]);
  });

  it("are let go when the reader has gone, and kept for another attempt when something else failed", async () => {
    const write = vi.fn<(text: string) => Promise<void>>();
    const sink = new PrinterSink("yaml", write);
    write.mockRejectedValueOnce(new ReaderGoneError(new Error("EPIPE")));
    await sink.write([batch("a")]);
    write.mockRejectedValueOnce(new Error("ENOSPC"));
    await expect(sink.write([batch("a")])).rejects.toThrow("ENOSPC");
  });
});
