// SPDX-License-Identifier: Apache-2.0

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { batchOf } from "../batch-from-rows.ts";
import type { RowObject } from "../cells/cell-value.ts";
import type { ColumnBatch } from "../column-batch.ts";
import { QueryExpiredError, StoreBusyError } from "../errors.ts";
import { RowHub } from "../row-hub.ts";
import type { RowSchema } from "../row-schema.ts";
import { EmbeddedPostgres } from "../store/embedded-postgres.ts";
import type { RowQuery } from "../store/row-query.ts";
import { RowStore } from "../store/row-store.ts";
import { PostgresSink } from "./postgres-sink.ts";

let folder: string;
let postgres: EmbeddedPostgres;
let store: RowStore;
let pool: Pool;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "skep-sink-"));
  chmodSync(folder, 0o711);
  postgres = await EmbeddedPostgres.open(join(folder, "data"));
  store = new RowStore(postgres.address, []);
  pool = new Pool({ ...socketOf(postgres), max: 1 });
  pool.on("error", () => undefined);
});

afterAll(async () => {
  await pool?.end();
  await store?.close();
  await postgres?.stop();
  rmSync(folder, { recursive: true });
});

function socketOf({ address }: EmbeddedPostgres): { host: string; user: string; database: string } {
  if ("url" in address) throw new Error("the embedded server has a socket");
  return { host: address.socket, user: address.user, database: address.database };
}

/** Ends the connections on which writers hold their chunks. */
const TERMINATE_CLAIMS =
  "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()";

const schemaOf = (name: string): RowSchema => ({ name, columns: [{ name: "id", type: "u32" }] });

function batch(name: string, ids: readonly number[], time = Date.now() * 1000): ColumnBatch {
  return batchOf(
    schemaOf(name),
    { node: "n", workload: "w" },
    ids.map((id) => ({ time, id })),
  );
}

async function read(stream: string, query: RowQuery = {}): Promise<RowObject[]> {
  const rows: RowObject[] = [];
  for await (const some of store.query(stream, query)) rows.push(...some);
  return rows;
}

const ids = async (stream: string, query: RowQuery = {}) => (await read(stream, query)).map(({ id }) => Number(id));
const info = async (stream: string) => (await store.streams()).find(({ name }) => name === stream);
const writersOf = async (stream: string) =>
  (await pool.query("select distinct writer from skep.chunks where stream = $1", [stream])).rows;
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe("exactly once", () => {
  it("a repeated sequence stores nothing twice, a new one does", async () => {
    await using sink = new PostgresSink(postgres.address);
    await sink.open(schemaOf("once"));
    await sink.write([batch("once", [1])], 1);
    await sink.write([batch("once", [1])], 1);
    await sink.write([batch("once", [2])], 2);
    expect(await ids("once")).toEqual([1, 2]);
  });

  it("a commit whose answer was lost is recognised", async () => {
    await using proxy = await CuttingProxy.start(join(folder, "proxy"), join(folder, "data", "pg", ".s.PGSQL.5432"));
    const { user, database } = socketOf(postgres);
    await using sink = new PostgresSink({ socket: join(folder, "proxy"), user, database });
    await sink.open(schemaOf("cut"));
    await sink.write([batch("cut", [1])], 1);
    proxy.cutAfterCommit();
    await expect(sink.write([batch("cut", [2])], 2)).rejects.toThrow();
    await vi.waitFor(async () => expect(await ids("cut")).toEqual([1, 2]));
    await sink.write([batch("cut", [2])], 2);
    await sink.write([batch("cut", [3])], 3);
    expect(await ids("cut")).toEqual([1, 2, 3]);
    expect(proxy.cuts).toBe(1);
  });

  it("all rows are there once after PostgreSQL was killed again and again while they were written", async () => {
    const events: string[] = [];
    await using other = await EmbeddedPostgres.open(join(folder, "killed"), {
      onEvent: ({ kind }) => events.push(kind),
    });
    await using rowsThere = new RowStore(other.address, []);
    await using hub = new RowHub({ sinks: [new PostgresSink(other.address)], closeTimeout: 60_000 });
    const stream = hub.open(schemaOf("killed"), { workload: "w" });
    let next = 0;
    for (let kill = 0; kill < 4; kill++) {
      for (let index = 0; index < 40; index++) {
        stream.write(batch("killed", range(next, next + 500)));
        next += 500;
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
      const victim = other.processId;
      if (victim !== undefined) process.kill(victim, kill % 2 === 0 ? "SIGKILL" : "SIGQUIT");
      await vi.waitFor(() => expect(events.filter((kind) => kind === "restarted")).toHaveLength(kill + 1), {
        timeout: 20_000,
      });
    }
    await stream.flush();
    const [counts] = stream.ledger.snapshot().sinks;
    expect(counts).toMatchObject({ offered: next, written: next, dropped: 0, pending: 0 });
    expect(counts?.retries).toBeGreaterThan(0);
    const seen: number[] = [];
    for await (const rows of rowsThere.query("killed", { columns: ["id"] }))
      seen.push(...rows.map(({ id }) => Number(id)));
    expect(seen.toSorted((a, b) => a - b)).toEqual(range(0, next));
    expect((await rowsThere.streams())[0]?.rows).toBe(next);
  });
});

describe("chunks and retention", () => {
  it("drops the oldest chunks beyond a size, and counts what it dropped", async () => {
    const retention = { size: 4 * 2 ** 20 };
    await using sink = new PostgresSink(postgres.address, { retention });
    await sink.open(schemaOf("sized"));
    for (let sequence = 1; sequence <= 40; sequence++) {
      await sink.write([batch("sized", range(sequence * 10_000, sequence * 10_000 + 10_000))], sequence);
    }
    await sink.enforceRetention();
    const found = await info("sized");
    expect(found?.bytes).toBeLessThanOrEqual(retention.size);
    expect(found?.bytes).toBeGreaterThan(retention.size / 2);
    expect(found?.dropped.chunks).toBeGreaterThan(0);
    expect((found?.rows ?? 0) + (found?.dropped.rows ?? 0)).toBe(400_000);
    const left = (await ids("sized")).toSorted((a, b) => a - b);
    expect(left).toHaveLength(found?.rows ?? -1);
    expect(left.at(-1)).toBe(409_999);
    expect(left).toEqual(range(410_000 - left.length, 410_000));
  });

  it("drops what is older than an age, even when it is the newest there is", async () => {
    const old = (Date.now() - 3600e3) * 1000;
    await using sink = new PostgresSink(postgres.address, { retention: { age: 60 } });
    await sink.open(schemaOf("aged"));
    await sink.write([batch("aged", [1], old)], 1);
    await sink.enforceRetention();
    expect(await ids("aged")).toEqual([]);
    await sink.write([batch("aged", [2], old), batch("aged", [3])], 2);
    await sink.enforceRetention();
    expect(await ids("aged")).toEqual([2, 3]);
    expect((await info("aged"))?.dropped).toMatchObject({ rows: 1, chunks: 1 });
  });

  it("waits for no reader: a chunk that is being read is dropped later", async () => {
    const old = (Date.now() - 3600e3) * 1000;
    await using sink = new PostgresSink(postgres.address, { retention: { age: 60 } });
    await sink.open(schemaOf("busy"));
    await sink.write([batch("busy", range(0, 5000), old)], 1);
    const reader = store.query("busy");
    await reader.next();
    await sink.enforceRetention();
    await sink.write([batch("busy", [9999], old)], 2);
    await reader.return();
    await vi.waitFor(async () => {
      await sink.enforceRetention();
      expect((await info("busy"))?.dropped.rows).toBe(5001);
    });
  });

  it("leaves sealed chunks out of queries of other times", async () => {
    // An eighth of a size that small is less than an empty table takes.
    await using sink = new PostgresSink(postgres.address, { retention: { age: 1e9, size: 65_536 } });
    await sink.open(schemaOf("pruned"));
    await sink.write([batch("pruned", [1], 1e15)], 1);
    await sink.enforceRetention();
    const plan = await pool.query<{ "QUERY PLAN": string }>(
      "explain select * from skep.pruned where time > '2020-01-01'",
    );
    expect(plan.rows.map((row) => row["QUERY PLAN"]).join("\n")).not.toContain("pruned$");
    expect(await ids("pruned", { where: "time < 2020-01-01" })).toEqual([1]);
  });

  it("goes on in a new chunk when another process sealed its own", async () => {
    await using sink = new PostgresSink(postgres.address);
    await sink.open(schemaOf("sealed"));
    await sink.write([batch("sealed", [1])], 1);
    await pool.query("update skep.chunks set sealed_at = now() where stream = 'sealed'");
    await sink.write([batch("sealed", [2])], 2);
    expect(await ids("sealed")).toEqual([1, 2]);
    expect((await info("sealed"))?.chunks).toBe(2);
  });

  it("reads rows in order of time across chunks, both ways, and stops at a limit", async () => {
    const sinks = [new PostgresSink(postgres.address), new PostgresSink(postgres.address)];
    const base = Date.now() * 1000;
    for (const [index, sink] of sinks.entries()) {
      await sink.open(schemaOf("ordered"));
      // Times of the two writers interleave.
      for (const part of range(0, 20))
        await sink.write([batch("ordered", [part * 2 + index], base + (part * 2 + index) * 1e6)], part + 1);
    }
    for (const sink of sinks) await sink.close();
    expect((await info("ordered"))?.chunks).toBe(2);
    expect(await ids("ordered")).toEqual(range(0, 40));
    expect(await ids("ordered", { newestFirst: true, limit: 25 })).toEqual(range(15, 40).toReversed());
    expect(await ids("ordered", { newestFirst: true, limit: 3, where: "id < 10" })).toEqual([9, 8, 7]);
    expect(await ids("ordered", { limit: 0 })).toEqual([]);
  });
});

describe("several writers", () => {
  it("fill one chunk, one after another, closed or killed", async () => {
    for (const [index, end] of ["close", "kill", "close"].entries()) {
      const sink = new PostgresSink(postgres.address);
      await sink.open(schemaOf("continued"));
      await sink.write([batch("continued", [index])], 1);
      // A killed writer's connections end, and nothing else is done.
      if (end === "kill") await pool.query(TERMINATE_CLAIMS);
      else await sink.close();
    }
    expect(await ids("continued")).toEqual([0, 1, 2]);
    expect((await info("continued"))?.chunks).toBe(1);
  });

  it("at the same time have a chunk each, and a third goes on with the one that was left", async () => {
    const [first, second] = [new PostgresSink(postgres.address), new PostgresSink(postgres.address)];
    await using third = new PostgresSink(postgres.address);
    for (const [index, sink] of [first, second].entries()) {
      await sink.open(schemaOf("beside"));
      await sink.write([batch("beside", [index])], 1);
    }
    expect(await writersOf("beside")).toHaveLength(2);
    await first.close();
    await third.open(schemaOf("beside"));
    await third.write([batch("beside", [2])], 1);
    await second.write([batch("beside", [3])], 2);
    await second.close();
    expect((await ids("beside")).toSorted()).toEqual([0, 1, 2, 3]);
    const chunks = await pool.query("select rows from skep.chunks where stream = 'beside'");
    expect(chunks.rows).toEqual([{ rows: "2" }, { rows: "2" }]);
  });

  it("do not go on with a chunk that is old or large", async () => {
    for (const [id, change] of [
      "update skep.chunks set created_at = created_at - interval '23 h' where stream = 'enough'",
      "update skep.chunks set created_at = created_at - interval '2 h' where stream = 'enough'",
      "select 1",
    ].entries()) {
      await using sink = new PostgresSink(postgres.address);
      await sink.open(schemaOf("enough"));
      await sink.write([batch("enough", [id])], 1);
      await pool.query(change);
    }
    expect((await info("enough"))?.chunks).toBe(2);
    await using small = new PostgresSink(postgres.address, { retention: { size: 1 } });
    await small.open(schemaOf("enough"));
    await small.write([batch("enough", [3])], 1);
    const found = await info("enough");
    expect((found?.chunks ?? 0) + (found?.dropped.chunks ?? 0)).toBe(3);
  });

  it("go on together when the connection breaks that shows that one of them is there", async () => {
    await using first = new PostgresSink(postgres.address);
    await using second = new PostgresSink(postgres.address);
    await first.open(schemaOf("broken"));
    await first.write([batch("broken", [1])], 1);
    await pool.query(TERMINATE_CLAIMS);
    await second.open(schemaOf("broken"));
    for (const id of range(2, 10)) {
      await Promise.all([first.write([batch("broken", [id])], id), second.write([batch("broken", [id + 10])], id)]);
    }
    expect((await ids("broken")).toSorted((a, b) => a - b)).toEqual([1, ...range(2, 10), ...range(12, 20)]);
  });

  it("open and write one stream at the same time", async () => {
    const sinks = Array.from({ length: 4 }, () => new PostgresSink(postgres.address));
    await Promise.all(
      sinks.map(async (sink, writer) => {
        await sink.open(schemaOf("shared"));
        for (const part of range(0, 10)) await sink.write([batch("shared", [writer * 10 + part])], part + 1);
        await sink.close();
      }),
    );
    expect((await ids("shared")).toSorted((a, b) => a - b)).toEqual(range(0, 40));
    const progress = await pool.query("select from skep.progress where stream = 'shared'");
    expect(progress.rowCount).toBe(0);
  });
});

describe("the table", () => {
  it("carries descriptions as comments, whatever is in them", async () => {
    await using sink = new PostgresSink(postgres.address);
    const description = 'it\'s \\ "quoted"; --';
    await sink.open({ name: "described", description, columns: [{ name: "id", type: "u32", description }] });
    const { rows } = await pool.query<{ table: string; column: string }>(
      `select obj_description('skep.described'::regclass) as table, col_description('skep.described'::regclass, 4) as column`,
    );
    expect(rows).toEqual([{ table: description, column: description }]);
  });

  it("gains the columns that a schema gained, keeps those that it lost", async () => {
    await using sink = new PostgresSink(postgres.address);
    await sink.open(schemaOf("grown"));
    await sink.write([batch("grown", [1])], 1);
    const grown: RowSchema = { name: "grown", columns: [{ name: "comm", type: "text" }] };
    await sink.open(grown);
    await sink.write([batchOf(grown, { node: "n", workload: "w" }, [{ comm: "x" }])], 2);
    const rows = (await read("grown")).map(({ id, comm }) => ({ id, comm }));
    expect(rows).toEqual([
      { id: 1, comm: null },
      { id: null, comm: "x" },
    ]);
    expect((await store.schema("grown")).columns.map(({ name }) => name)).toEqual(["comm", "id"]);
    await sink.open(schemaOf("grown"));
    expect((await store.schema("grown")).columns.map(({ name }) => name)).toEqual(["id", "comm"]);
  });

  it("refuses a column of another type, and says what to do", async () => {
    await using sink = new PostgresSink(postgres.address);
    await sink.open(schemaOf("retyped"));
    const other: RowSchema = { name: "retyped", columns: [{ name: "id", type: "text" }] };
    await expect(sink.open(other)).rejects.toThrow(
      'table skep."retyped", column "id": it is u32 (bigint), now wanted is text (text); give the column',
    );
    await sink.write([batch("retyped", [1])], 1);
    expect(await ids("retyped")).toEqual([1]);
  });

  it("is asked for by names that exist", async () => {
    await expect(read("missing")).rejects.toThrow(/no stream "missing"; there is .*once/);
    await expect(read("once", { columns: ["id", "nope"] })).rejects.toThrow('no column "nope"; there are time, node');
  });
});

describe("a long query", () => {
  it("holds few rows in memory and may be left at any time", async () => {
    await using sink = new PostgresSink(postgres.address);
    await sink.open(schemaOf("long"));
    await sink.write([batch("long", range(0, 60_000))], 1);
    let batches = 0;
    for await (const rows of store.query("long")) {
      expect(rows.length).toBeLessThanOrEqual(1000);
      if (++batches === 3) break;
    }
    expect(await ids("long", { where: "id = 59999" })).toEqual([59_999]);
  });
});

describe("a query", () => {
  const busy = async () =>
    (await pool.query("select pid from pg_stat_activity where wait_event_type = 'Lock' and query like 'declare%'"))
      .rows;
  const idle = async () =>
    (await pool.query("select pid from pg_stat_activity where state like 'idle in transaction%'")).rows;

  async function fill(stream: string, count: number): Promise<void> {
    await using sink = new PostgresSink(postgres.address);
    await sink.open(schemaOf(stream));
    await sink.write([batch(stream, range(0, count))], 1);
  }

  it("ends at a signal while the server is busy with it, and so does the statement", async () => {
    await fill("stuck", 1);
    // On a connection of its own: within a transaction pg_stat_activity does not change.
    const locker = new Pool({ ...socketOf(postgres), max: 1 });
    await locker.query("begin; lock table skep.stuck in access exclusive mode");
    try {
      const cancel = new AbortController();
      const answer = store.query("stuck", { signal: cancel.signal }).next();
      await vi.waitFor(async () => expect(await busy()).toHaveLength(1));
      const reason = new Error("nobody waits");
      cancel.abort(reason);
      await expect(answer).rejects.toBe(reason);
      await vi.waitFor(async () => expect(await busy()).toEqual([]), { timeout: 3000 });
    } finally {
      await locker.end();
    }
  });

  it("ends at a signal between two reads, and gives its connection back", async () => {
    await fill("left", 3000);
    const cancel = new AbortController();
    const query = store.query("left", { signal: cancel.signal });
    await query.next();
    expect(await idle()).toHaveLength(1);
    cancel.abort();
    await vi.waitFor(async () => expect(await idle()).toEqual([]));
    await expect(query.next()).rejects.toThrow("aborted");
    await expect(store.query("left", { signal: cancel.signal }).next()).rejects.toThrow("aborted");
  });

  it("ends when the store closes, with a reason", async () => {
    await fill("closing", 3000);
    const other = new RowStore(postgres.address, []);
    const query = other.query("closing");
    await query.next();
    await other.close();
    await expect(query.next()).rejects.toThrow("the store is closed");
  });

  it("is refused when readers who stopped hold every connection, and runs once their time is over", async () => {
    await fill("stalled", 3000);
    const stalled = range(0, 8).map(() => store.query("stalled", { idleTimeout: 7000 }));
    for (const query of stalled) await query.next();
    const refusal = store.query("stalled").next();
    await expect(refusal).rejects.toBeInstanceOf(StoreBusyError);
    await expect(refusal).rejects.toMatchObject({
      code: "ERR_BUSY",
      message:
        "all 8 connections for queries of the store are in use, and none came free in 5 s; try again, or end another query",
    });
    expect((await ids("stalled", { limit: 2 })).toSorted()).toEqual([0, 1]);
    await vi.waitFor(async () => expect(await idle()).toEqual([]), { timeout: 5000 });
    for (const query of stalled) await expect(query.next()).rejects.toBeInstanceOf(QueryExpiredError);
  });

  it("is not ended while somebody reads, however long that takes", async () => {
    await fill("slow", 3000);
    let count = 0;
    for await (const rows of store.query("slow", { idleTimeout: 300 })) {
      count += rows.length;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(count).toBe(3000);
  });

  it("finds only what happened before a time", async () => {
    await using sink = new PostgresSink(postgres.address);
    await sink.open(schemaOf("early"));
    for (const id of range(1, 5)) await sink.write([batch("early", [id], 1e15 + id)], id);
    expect(await ids("early", { before: 1e15 + 3 })).toEqual([1, 2]);
    expect(await ids("early", { before: 1e15 + 3, newestFirst: true, limit: 1 })).toEqual([2]);
  });

  it("refuses a limit that is no number of rows", async () => {
    for (const limit of [-1, 0.5, 1e23, Number.NaN]) {
      await expect(read("once", { limit })).rejects.toThrow(`limit ${limit} is no number of rows`);
    }
    expect(await ids("once", { limit: Number.MAX_SAFE_INTEGER })).toEqual([1, 2]);
  });
});

/** Passes a Unix socket on, and when told to, cuts the connection after a commit went in and before its answer comes out. */
class CuttingProxy implements AsyncDisposable {
  cuts = 0;
  readonly #server: Server;
  #isArmed = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(directory: string, target: string): Promise<CuttingProxy> {
    const { mkdirSync } = await import("node:fs");
    mkdirSync(directory);
    const server = createServer();
    const proxy = new CuttingProxy(server);
    server.on("connection", (client) => {
      const upstream = connect(target);
      let isCut = false;
      client.on("data", (data) => {
        if (proxy.#isArmed && data.includes("commit\0")) {
          proxy.#isArmed = false;
          isCut = true;
          proxy.cuts++;
        }
        upstream.write(data);
      });
      upstream.on("data", (data) => {
        if (isCut) client.destroy();
        else client.write(data);
      });
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.on("error", () => other.destroy());
        one.on("close", () => other.destroy());
      }
    });
    await new Promise<void>((resolve) => server.listen(join(directory, ".s.PGSQL.5432"), resolve));
    return proxy;
  }

  cutAfterCommit(): void {
    this.#isArmed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
