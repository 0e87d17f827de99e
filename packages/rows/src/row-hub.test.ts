// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { batchOf } from "./batch-from-rows.ts";
import type { ColumnBatch } from "./column-batch.ts";
import { RowHub } from "./row-hub.ts";
import type { RowSchema } from "./row-schema.ts";
import type { Sink } from "./sink.ts";

const schema: RowSchema = { name: "s", columns: [{ name: "id", type: "u32" }] };
const batch = (...ids: number[]): ColumnBatch =>
  batchOf(
    schema,
    { node: "n", workload: "w" },
    ids.map((id) => ({ id })),
  );

/** Remembers the rows that it took, and does what `behave` says first. */
class FakeSink implements Sink {
  readonly name: string;
  readonly rows: number[] = [];
  readonly sequences: number[] = [];
  opened = 0;
  closed = false;
  readonly #behave: (sequence: number) => Promise<void> | void;

  constructor(name: string, behave: (sequence: number) => Promise<void> | void = () => undefined) {
    this.name = name;
    this.#behave = behave;
  }

  async open(): Promise<void> {
    this.opened++;
  }

  async write(batches: readonly ColumnBatch[], sequence: number): Promise<void> {
    this.sequences.push(sequence);
    await this.#behave(sequence);
    for (const { vectors, length } of batches) {
      const [vector] = vectors;
      if (vector?.kind === "scalar") this.rows.push(...Array.from(vector.values.subarray(0, length), Number));
    }
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const counts = (hub: RowHub, sink: string) => hub.ledgers()[0]?.sinks.find((each) => each.sink === sink);

describe("RowHub", () => {
  it("gathers batches into one call, in order, and counts them", async () => {
    const sink = new FakeSink("a");
    await using hub = new RowHub({ sinks: [sink] });
    const stream = hub.open(schema, { workload: "w" });
    stream.write(batch(1, 2));
    stream.write(batch(3));
    await vi.waitFor(() => expect(sink.rows).toEqual([1, 2, 3]));
    expect(sink.sequences).toEqual([1]);
    expect(counts(hub, "a")).toEqual({ sink: "a", offered: 3, written: 3, dropped: 0, pending: 0, retries: 0 });
  });

  it("repeats a failed call with the same sequence, shows the error, and forgets it after", async () => {
    let failures = 2;
    const errors: unknown[] = [];
    const sink = new FakeSink("a", () => {
      if (failures-- > 0) throw new Error("disk full");
    });
    await using hub = new RowHub({ sinks: [sink], onError: (error) => errors.push(error) });
    const stream = hub.open(schema, { workload: "w" });
    stream.write(batch(1));
    await vi.waitFor(() => expect(counts(hub, "a")).toMatchObject({ error: "disk full", pending: 1, retries: 1 }));
    await stream.flush();
    stream.write(batch(2));
    await stream.flush();
    expect(sink.sequences).toEqual([1, 1, 1, 2]);
    expect(sink.rows).toEqual([1, 2]);
    expect(errors).toHaveLength(2);
    expect(counts(hub, "a")).toEqual({ sink: "a", offered: 2, written: 2, dropped: 0, pending: 0, retries: 2 });
  });

  it("lets no sink that hangs hold up another, and counts what it turned away", async () => {
    const stuck = new FakeSink("stuck", () => new Promise(() => undefined));
    const sink = new FakeSink("ok");
    const hub = new RowHub({ sinks: [stuck, sink], queueBytes: 100, closeTimeout: 50 });
    const stream = hub.open(schema, { workload: "w" });
    for (let id = 0; id < 20; id++) {
      stream.write(batch(id));
      await vi.waitFor(() => expect(sink.rows).toHaveLength(id + 1));
    }
    // 12 bytes a batch: eight fit into 100 bytes.
    expect(counts(hub, "stuck")).toMatchObject({ offered: 20, written: 0, dropped: 12, pending: 8 });
    expect(counts(hub, "ok")).toMatchObject({ offered: 20, written: 20, dropped: 0, pending: 0 });
    await stream.close();
    expect(stream.ledger.snapshot().sinks[0]).toMatchObject({ offered: 20, written: 0, dropped: 20, pending: 0 });
    await hub.close();
    expect(sink.closed).toBe(true);
  });

  it("does not count a call that a sink answers after it was given up", async () => {
    let answer: () => void = () => undefined;
    const sink = new FakeSink("late", () => new Promise((resolve) => (answer = resolve)));
    const hub = new RowHub({ sinks: [sink], closeTimeout: 20 });
    const stream = hub.open(schema, { workload: "w" });
    stream.write(batch(1));
    await vi.waitFor(() => expect(sink.sequences).toEqual([1]));
    await stream.close();
    answer();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(stream.ledger.snapshot().sinks[0]).toMatchObject({ offered: 1, written: 0, dropped: 1, pending: 0 });
    await hub.close();
  });

  it("opens a sink again after a failure, before anything is written", async () => {
    const sink = new FakeSink("a");
    let failures = 1;
    sink.open = async () => {
      sink.opened++;
      if (failures-- > 0) throw new Error("not yet");
    };
    await using hub = new RowHub({ sinks: [sink] });
    const stream = hub.open(schema, { workload: "w" });
    stream.write(batch(1));
    await stream.flush();
    expect(sink.opened).toBe(2);
    expect(sink.rows).toEqual([1]);
  });

  it("refuses a name that is open, and takes it again after it was closed, with later sequences", async () => {
    const sink = new FakeSink("a");
    await using hub = new RowHub({ sinks: [sink] });
    const stream = hub.open(schema, { workload: "w" });
    expect(() => hub.open(schema, { workload: "other" })).toThrow('stream "s" is open already, for workload "w"');
    stream.write(batch(1));
    await stream.close();
    expect(() => stream.write(batch(2))).toThrow('stream "s" is closed');
    const again = hub.open(schema, { workload: "w" });
    again.write(batch(2));
    await again.close();
    expect(sink.sequences).toEqual([1, 2]);
  });

  it("refuses a batch that does not fit the schema, and an ill-named stream", async () => {
    await using hub = new RowHub({ sinks: [] });
    const stream = hub.open(schema, { workload: "w" });
    expect(() => stream.write({ ...batch(1), vectors: [] })).toThrow("0 vectors");
    expect(() => hub.open({ name: "Bad", columns: [] }, { workload: "w" })).toThrow('stream "Bad"');
  });

  it("gives a stream's own sinks its rows in place of the default ones, and leaves them open", async () => {
    const [always, standard, own] = [new FakeSink("always"), new FakeSink("standard"), new FakeSink("own")];
    const hub = new RowHub({ sinks: [standard], always: [always] });
    const first = hub.open(schema, { workload: "w", sinks: [own] });
    const second = hub.open({ ...schema, name: "t" }, { workload: "v" });
    expect(hub.streams().map(({ workload }) => workload)).toEqual(["w", "v"]);
    first.write(batch(1));
    second.write({ ...batch(2), schema: { ...schema, name: "t" } });
    await hub.close();
    expect([always, standard, own].map(({ rows }) => rows.toSorted())).toEqual([[1, 2], [2], [1]]);
    expect([always, standard, own].map(({ closed }) => closed)).toEqual([true, true, false]);
    expect(hub.streams()).toEqual([]);
  });

  it("conserves rows: what is offered is written, dropped or pending, whatever the sink does", async () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant("write" as const), rows: fc.integer({ min: 0, max: 9 }) }),
      fc.constant({ kind: "yield" as const }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 30 }),
        fc.array(fc.boolean(), { maxLength: 3 }),
        async (actions, failing) => {
          const failures = [...failing];
          const sink = new FakeSink("a", () => {
            if (failures.shift()) throw new Error("no");
          });
          const hub = new RowHub({ sinks: [sink], queueBytes: 300, closeTimeout: 60 });
          const stream = hub.open(schema, { workload: "w" });
          let offered = 0;
          for (const each of actions) {
            if (each.kind === "write") {
              offered += each.rows;
              stream.ledger.countDecoded(each.rows, 0);
              stream.write(batch(...Array.from({ length: each.rows }, (_, id) => id)));
            } else {
              await new Promise((resolve) => setImmediate(resolve));
            }
            expect(stream.ledger.snapshot().differences).toEqual([]);
          }
          await stream.close();
          const [after] = stream.ledger.snapshot().sinks;
          expect(after).toMatchObject({ offered, pending: 0, written: sink.rows.length });
          expect(stream.ledger.snapshot().differences).toEqual([]);
          await hub.close();
        },
      ),
      { numRuns: 30 },
    );
  });

  it("lets a workload open its stream anew: rows stay in order, each once, and the ledger goes on", async () => {
    let failures = 3;
    const sink = new FakeSink("a", () => {
      if (failures-- > 0) throw new Error("down");
    });
    await using hub = new RowHub({ sinks: [sink] });
    const first = hub.open(schema, { workload: "w" });
    first.write(batch(1, 2));
    first.ledger.countDecoded(2, 0);
    const second = hub.open({ ...schema, description: "changed" }, { workload: "w" });
    second.write(batch(3));
    second.ledger.countDecoded(1, 0);
    await first.close();
    await second.flush();
    expect(sink.rows).toEqual([1, 2, 3]);
    expect(sink.sequences.at(-1)).toBe(2);
    expect(hub.streams().map(({ schema: { description } }) => description)).toEqual(["changed"]);
    expect(hub.ledgers()).toMatchObject([
      { decoder: { decoded: 3 }, sinks: [{ offered: 3, written: 3, dropped: 0, pending: 0 }], differences: [] },
    ]);
    await second.close();
    expect(hub.streams()).toEqual([]);
    expect(hub.ledgers()).toMatchObject([{ decoder: { decoded: 3 }, sinks: [{ written: 3 }] }]);
  });

  it("keeps what an earlier writer lost in the ledger", async () => {
    const sink = new FakeSink("dead", () => {
      throw new Error("down");
    });
    await using hub = new RowHub({ sinks: [sink], closeTimeout: 20 });
    const first = hub.open(schema, { workload: "w" });
    first.write(batch(1, 2));
    await first.close();
    await hub.open(schema, { workload: "w" }).close();
    expect(hub.ledgers()).toMatchObject([{ sinks: [{ offered: 2, written: 0, dropped: 2 }] }]);
  });

  it("refuses a stream that another workload has open, and gives it away once it is closed", async () => {
    await using hub = new RowHub({ sinks: [] });
    const first = hub.open(schema, { workload: "w" });
    expect(() => hub.open(schema, { workload: "v" })).toThrow('stream "s" is open already, for workload "w"');
    await first.close();
    await hub.open(schema, { workload: "v" }).close();
  });
});
