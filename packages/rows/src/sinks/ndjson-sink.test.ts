// SPDX-License-Identifier: Apache-2.0

import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { batchOf } from "../batch-from-rows.ts";
import type { ColumnBatch } from "../column-batch.ts";
import { NdjsonSink } from "./ndjson-sink.ts";

const batch = (...ids: number[]): ColumnBatch =>
  batchOf(
    { name: "s", columns: [{ name: "id", type: "u32" }] },
    { node: "n", workload: "w" },
    ids.map((id) => ({ id })),
  );

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skep-ndjson-"));
  path = join(folder, "rows.ndjson");
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const ids = (): number[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as { id: number }).id);

describe("NdjsonSink to a file", () => {
  it("appends a line a row", async () => {
    writeFileSync(path, '{"id":0}\n');
    await using sink = new NdjsonSink(path);
    await sink.open();
    await sink.write([batch(1, 2), batch(3)]);
    await sink.write([batch(4)]);
    expect(ids()).toEqual([0, 1, 2, 3, 4]);
    expect(sink.name).toBe(`ndjson:${path}`);
  });

  it("cuts off the line that a killed process left unfinished", async () => {
    writeFileSync(path, `{"id":0}\n{"id":1,"x":"${"y".repeat(200_000)}`);
    await using sink = new NdjsonSink(path);
    await sink.open();
    await sink.write([batch(2)]);
    expect(ids()).toEqual([0, 2]);
  });

  it("leaves nothing of a write that failed half-way, so that a repeated one gives each row once", async () => {
    await using sink = new NdjsonSink(path);
    await sink.open();
    await sink.write([batch(1)]);
    const handle = await open(path, "r");
    const prototype = Object.getPrototypeOf(handle) as { appendFile(data: string): Promise<void> };
    await handle.close();
    vi.spyOn(prototype, "appendFile").mockImplementationOnce(async (data) => {
      appendFileSync(path, data.slice(0, data.length / 2));
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    });
    await expect(sink.write([batch(2, 3, 4)])).rejects.toThrow("ENOSPC");
    expect(ids()).toEqual([1]);
    await sink.write([batch(2, 3, 4)]);
    expect(ids()).toEqual([1, 2, 3, 4]);
  });

  it("keeps the calls of two streams apart", async () => {
    await using sink = new NdjsonSink(path);
    await sink.open();
    const many = Array.from({ length: 5000 }, (_, id) => id);
    await Promise.all([sink.write([batch(...many)]), sink.write([batch(...many)])]);
    expect(ids()).toEqual([...many, ...many]);
  });

  it("says why a file cannot be opened, and tries again", async () => {
    await using sink = new NdjsonSink(join(folder, "missing", "rows.ndjson"));
    await expect(sink.open()).rejects.toThrow("ENOENT");
    await expect(sink.open()).rejects.toThrow("ENOENT");
  });
});

describe("NdjsonSink to a stream", () => {
  it("writes lines and leaves the stream open", async () => {
    const stream = new PassThrough();
    const sink = new NdjsonSink(stream);
    await sink.open();
    await sink.write([batch(1)]);
    await sink.close();
    expect(String(stream.read())).toMatch(/^\{"time":".*","id":1\}\n$/);
    expect(stream.destroyed).toBe(false);
  });

  it("rejects, again and again, when nobody reads any more", async () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error("write EPIPE")) });
    await using sink = new NdjsonSink(stream);
    await expect(sink.write([batch(1)])).rejects.toThrow("EPIPE");
    await expect(sink.write([batch(1)])).rejects.toThrow();
  });
});
