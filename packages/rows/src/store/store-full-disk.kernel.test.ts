// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/**
 * Runs in a mount namespace of its own, on a small file system: fills it, sees the writes fail, makes room, and sees
 * them succeed. Prints one JSON object.
 */
const SCRIPT = `
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openStore, RowHub, batchOf } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
const folder = process.argv[1];
chmodSync(folder, 0o711);
writeFileSync(folder + "/ballast", Buffer.alloc(96 * 2 ** 20));
const schema = { name: "s", columns: [{ name: "id", type: "u32" }, { name: "filler", type: "text" }] };
const events = [];
const store = await openStore({ data: folder + "/data" }, { onEvent: ({ kind }) => events.push(kind) });
const hub = new RowHub({ sinks: [store.sink()], closeTimeout: 60000 });
const stream = hub.open(schema, { workload: "w" });
const filler = "x".repeat(500);
let next = 0;
let error;
while (error === undefined && next < 1e6) {
  const rows = Array.from({ length: 1000 }, () => ({ id: next++, filler }));
  stream.ledger.countDecoded(rows.length, 0);
  stream.write(batchOf(schema, { node: "n", workload: "w" }, rows));
  await sleep(20);
  error = stream.ledger.snapshot().sinks[0].error;
}
const full = stream.ledger.snapshot();
rmSync(folder + "/ballast");
await stream.flush();
const after = stream.ledger.snapshot();
let count = 0;
const seen = new Set();
for await (const rows of store.query("s", { columns: ["id"] })) for (const { id } of rows) { count++; seen.add(id); }
await hub.close();
await store.close();
console.log(JSON.stringify({ next, error, full, after, count, distinct: seen.size, events }));
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skep-full-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("a store on a full disk", () => {
  it("says so, loses nothing that it was given, and goes on when there is room", async (context) => {
    if (process.getuid?.() !== 0) context.skip("mounting a small file system needs root");
    const mountAndRun = `mount -t tmpfs -o size=260m tmpfs "$1" && exec "$2" --conditions=skep-source --input-type=module -e "$3" "$1"`;
    const child = spawn(
      "unshare",
      ["--mount", "--propagation", "private", "sh", "-c", mountAndRun, "sh", folder, process.execPath, SCRIPT],
      { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] },
    );
    let line = "";
    for await (const each of createInterface({ input: child.stdout })) line = each;
    const result = JSON.parse(line) as {
      next: number;
      error: string;
      full: { sinks: { written: number; pending: number }[] };
      after: { sinks: unknown[]; differences: unknown[] };
      count: number;
      distinct: number;
    };
    expect(result.error).toMatch(/No space left on device|terminat|recovery|connect|shut/i);
    expect(result.full.sinks[0]?.written).toBeGreaterThan(0);
    expect(result.full.sinks[0]?.pending).toBeGreaterThan(0);
    expect(result.after.differences).toEqual([]);
    expect(result.after.sinks[0]).toMatchObject({ offered: result.next, written: result.next, dropped: 0 });
    expect(result).toMatchObject({ count: result.next, distinct: result.next });
  });
});
