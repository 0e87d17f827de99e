// SPDX-License-Identifier: Apache-2.0

import { execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { LedgerSnapshot } from "@skep/rows";
import {
  asUser,
  bpfObjects,
  newBpfObjects,
  repository,
  SkepProcess,
  type SkepUp,
  skepArguments,
  TEST_USER,
  TempFolder,
  waitUntil,
} from "@skep/testbed";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);

/** Executes `count` programs that carry the tag in their arguments; what starts them does not. */
async function execute(count: number, tag: string): Promise<void> {
  const script = 'i=0; while [ $i -lt "$COUNT" ]; do /bin/true "$TAG" $i; i=$((i+1)); done';
  const [file = "", ...args] = asUser([], ["/bin/sh", "-c", script]);
  await run(file, args, { env: { ...process.env, COUNT: String(count), TAG: tag } });
}

/** A program that keeps one core busy until it is disposed. */
function busyCore(): Disposable {
  const child = spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });
  return { [Symbol.dispose]: () => void child.kill("SIGKILL") };
}

async function rowsWithTag(up: SkepUp, stream: string, tag: string): Promise<Record<string, unknown>[]> {
  const where = encodeURIComponent(`args contains "${tag}"`);
  const answer = await up.get(`/api/rows/${stream}?where=${where}`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function ledger(up: SkepUp, stream: string): Promise<LedgerSnapshot> {
  const all = (await (await up.get("/api/ledger")).json()) as LedgerSnapshot[];
  const found = all.find((snapshot) => snapshot.stream === stream);
  if (found === undefined) throw new Error(`no ledger of ${stream} in ${JSON.stringify(all)}`);
  return found;
}

/** The ledger once nothing is under way any more. */
async function ledgerAtRest(up: SkepUp, stream: string): Promise<LedgerSnapshot> {
  return await waitUntil("the ledger to agree", async () => {
    const snapshot = await ledger(up, stream);
    return snapshot.differences.length === 0 && snapshot.sinks.every((sink) => sink.pending === 0) && snapshot;
  });
}

describe("every program executed becomes a row", () => {
  it("has exactly 500 rows for 500 processes, twenty times, with the other core busy", async () => {
    using folder = new TempFolder();
    await using up = await SkepProcess.up(folder.join("data"));
    using _busy = busyCore();
    for (let round = 0; round < 20; round++) {
      const tag = randomBytes(12).toString("hex");
      await execute(500, tag);
      await waitUntil("500 rows", async () => (await rowsWithTag(up, "exec", tag)).length >= 500);
      const rows = await rowsWithTag(up, "exec", tag);
      expect(rows.length).toBe(500);
      expect(new Set(rows.map((row) => (row["args"] as string[])[2])).size).toBe(500);
      const snapshot = await ledgerAtRest(up, "exec");
      expect(snapshot.kernel).toMatchObject({ failed: 0 });
      expect(snapshot.sinks.map(({ sink, dropped }) => ({ sink, dropped }))).toEqual(
        snapshot.sinks.map(({ sink }) => ({ sink, dropped: 0 })),
      );
    }
  });

  it("tells time, parent, user, name, arguments, exit code and duration", async () => {
    using folder = new TempFolder();
    await using up = await SkepProcess.up(folder.join("data"));
    const tag = randomBytes(12).toString("hex");
    const before = Date.now();
    const [file = "", ...args] = asUser([], ["/bin/sh", "-c", "sleep 0.2; exit 7", tag]);
    await run(file, args).catch((cause: { code: number }) => expect(cause.code).toBe(7));
    const row = await waitUntil("the row", async () =>
      (await rowsWithTag(up, "exec", tag)).find(({ filename }) => filename === "/bin/sh"),
    );
    expect(row).toMatchObject({
      uid: TEST_USER,
      ppid: process.pid,
      comm: "sh",
      args: ["/bin/sh", "-c", "sleep 0.2; exit 7", tag],
      truncated: false,
    });
    expect(Date.parse(row["time"] as string)).toBeGreaterThanOrEqual(before - 50);
    expect(Date.parse(row["time"] as string)).toBeLessThan(Date.now());
    const end = await waitUntil("the exit", async () => {
      const text = await (
        await up.get(`/api/rows/exec_exit?limit=10&where=${encodeURIComponent(`pid = ${row["pid"]}`)}`)
      ).text();
      return text === "" ? undefined : (JSON.parse(text.split("\n")[0] ?? "") as Record<string, unknown>);
    });
    expect(end).toMatchObject({ pid: row["pid"], comm: "sh", code: 7, signal: 0, exec_time: row["time"] });
    expect(Number(end["duration_ns"])).toBeGreaterThan(200e6);
  });

  it("cuts arguments at 4096 bytes and says so", async () => {
    using folder = new TempFolder();
    await using up = await SkepProcess.up(folder.join("data"));
    const tag = randomBytes(12).toString("hex");
    await run("/bin/true", [tag, "x".repeat(10_000)]);
    const row = await waitUntil("the row", async () => (await rowsWithTag(up, "exec", tag))[0]);
    expect(row["truncated"]).toBe(true);
    expect((row["args"] as string[]).join("\0").length).toBe(4096);
  });
});

describe("a loss", () => {
  it("shows in the ledger as exactly the events that were produced and not written", async () => {
    using folder = new TempFolder();
    // A ring of one page, and this user's programs alone.
    const manifest = folder.join("tiny.yaml");
    writeFileSync(
      manifest,
      JSON.stringify({
        apiVersion: "skep/v1alpha1",
        kind: "Collector",
        metadata: { name: "tiny" },
        spec: {
          object: `${repository}packages/collector/collectors/exec/exec.bpf.o`,
          variables: { only_uid: TEST_USER },
          streams: [{ name: "tiny", map: "execs", bufferBytes: 4096 }],
        },
      }),
    );
    await using up = await SkepProcess.up(folder.join("data"), ["-f", manifest]);
    const tag = randomBytes(12).toString("hex");
    const quiet = await ledgerAtRest(up, "tiny");
    expect(quiet.kernel).toMatchObject({ failed: 0, submitted: 0 });

    up.process.child.kill("SIGSTOP");
    try {
      await execute(300, tag);
    } finally {
      up.process.child.kill("SIGCONT");
    }
    const snapshot = await ledgerAtRest(up, "tiny");
    const written = (await rowsWithTag(up, "tiny", tag)).length;
    // The shell and the 300 that it executed. setpriv was executed while still root.
    const produced = 301;
    const rows = (await (await up.get("/api/rows/tiny?limit=10000")).text())
      .split("\n")
      .filter((line) => line !== "").length;
    expect(written).toBeLessThan(300);
    expect(snapshot.kernel?.failed).toBe(produced - rows);
    expect(snapshot.kernel?.submitted).toBe(rows);
  });
});

describe("the end", () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
    it(`leaves nothing behind after ${signal}, and the rows are there afterwards`, async () => {
      using folder = new TempFolder();
      const data = folder.join("data");
      const before = bpfObjects();
      const tag = randomBytes(12).toString("hex");
      {
        await using up = await SkepProcess.up(data);
        expect(newBpfObjects(before).length).toBeGreaterThan(0);
        await execute(50, tag);
        await waitUntil("50 rows", async () => (await rowsWithTag(up, "exec", tag)).length === 50);
        const ended = await up.stop(signal);
        expect(ended).toBe(signal === "SIGKILL" ? signal : 0);
      }
      await waitUntil("BPF objects to go", () => newBpfObjects(before).length === 0, 5000);
      await waitUntil("processes to go", () => processesUsing(folder.path).length === 0, 5000);
      const { stdout } = await run(process.execPath, [
        ...skepArguments,
        ...["rows", "exec", "--data", data, "-o", "json", "--limit", "1000", "--where", `args contains "${tag}"`],
      ]);
      expect(stdout.trim().split("\n").length).toBe(50);
      expect(processesUsing(folder.path)).toEqual([]);
    });
  }
});

describe("SIGKILL", () => {
  it("at any moment leaves a folder that the next start uses, with every row that was ever shown as stored, once", async () => {
    using folder = new TempFolder();
    const data = folder.join("data");
    const before = bpfObjects();
    const tag = randomBytes(12).toString("hex");
    let round = 0;

    // While it starts, the first time in an empty folder.
    for (const delay of [50, 150, 300, 500, 700, 900, 1200]) {
      await using killed = new SkepProcess(["up", "--data", data, "--port", "0"]);
      const producing = sleep(delay / 2).then(() => execute(10, `${tag}-${round++}`));
      await sleep(delay);
      await killed.stop("SIGKILL");
      await producing;
    }

    // While it stores: what it showed just before has to be there for good.
    const shown = new Set<string>();
    for (const delay of [0, 50, 100, 200, 400, 800]) {
      await using up = await SkepProcess.up(data);
      const producing = execute(200, `${tag}-${round++}`);
      await sleep(delay);
      for (const id of ids(await rowsWithTag(up, "exec", tag))) shown.add(id);
      await up.stop("SIGKILL");
      await producing;
    }
    expect(shown.size).toBeGreaterThan(100);

    await using up = await SkepProcess.up(data);
    const stored = ids(await rowsWithTag(up, "exec", tag));
    const distinct = new Set(stored);
    expect(distinct.size).toBe(stored.length);
    expect([...shown].filter((id) => !distinct.has(id))).toEqual([]);
    expect(await up.stop()).toBe(0);
    expect(newBpfObjects(before)).toEqual([]);
    expect(processesUsing(folder.path)).toEqual([]);
  });
});

/** What tells the programs of {@link execute} from each other: the tag of their round, and their number. */
function ids(rows: readonly Record<string, unknown>[]): string[] {
  return rows
    .filter(({ filename }) => filename === "/bin/true")
    .map(({ args }) => (args as string[]).slice(1).join(" "));
}

/** Command lines that name the folder. */
function processesUsing(path: string): string[] {
  const all = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" }).split("\n");
  return all.filter((line) => line.includes(path) && !line.includes("ps -eo"));
}
