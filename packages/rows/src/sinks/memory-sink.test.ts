// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { batchOf } from "../batch-from-rows.ts";
import type { ColumnBatch } from "../column-batch.ts";
import { MemorySink } from "./memory-sink.ts";

const batch = (name: string, rows: number): ColumnBatch =>
  batchOf(
    { name, columns: [] },
    { node: "n", workload: "w" },
    Array.from({ length: rows }, () => ({})),
  );

describe("MemorySink", () => {
  it("keeps the last rows of each stream, in whole batches", async () => {
    await using sink = new MemorySink({ rows: 10 });
    const batches = [batch("a", 4), batch("a", 4), batch("a", 4), batch("a", 3)];
    await sink.write([...batches, batch("b", 1)]);
    expect(sink.batches("a")).toEqual(batches.slice(1));
    expect(sink.batches("b")).toHaveLength(1);
    expect(sink.batches("c")).toEqual([]);
  });

  it("keeps the last batch however large", async () => {
    await using sink = new MemorySink({ rows: 10 });
    await sink.write([batch("a", 5), batch("a", 100)]);
    expect(sink.batches("a").map(({ length }) => length)).toEqual([100]);
  });

  it("hands new batches of a stream to its subscribers until the sink closes", async () => {
    const sink = new MemorySink();
    await sink.write([batch("a", 1)]);
    const subscription = sink.subscribe({ stream: "a" });
    await sink.write([batch("a", 2), batch("b", 3)]);
    await sink.write([batch("a", 4)]);
    await sink.close();
    const seen: number[] = [];
    for await (const { length } of subscription) seen.push(length);
    expect(seen).toEqual([2, 4]);
  });

  it("tells a slow subscriber how many rows it missed", async () => {
    await using sink = new MemorySink();
    using subscription = sink.subscribe({ backlog: 5 });
    await sink.write([batch("a", 3), batch("a", 3), batch("a", 2)]);
    expect(subscription.missed).toBe(3);
    const reader = subscription[Symbol.asyncIterator]();
    expect((await reader.next()).value?.length).toBe(3);
    await sink.write([batch("a", 3)]);
    expect(subscription.missed).toBe(3);
  });

  it("ends a subscription on its signal, and when its reader leaves", async () => {
    await using sink = new MemorySink();
    const controller = new AbortController();
    const subscription = sink.subscribe({ signal: controller.signal });
    const ended = (async () => {
      for await (const _ of subscription) expect.unreachable();
    })();
    controller.abort();
    await ended;
    await sink.write([batch("a", 1)]);

    const second = sink.subscribe({ backlog: 1 });
    await sink.write([batch("a", 1)]);
    for await (const _ of second) break;
    await sink.write([batch("a", 1), batch("a", 5)]);
    expect(second.missed).toBe(0);
  });
});
