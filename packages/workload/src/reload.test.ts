// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLogger } from "./logger.ts";
import { type ReloadReason, reloadOn } from "./reload.ts";

describe("reloadOn", () => {
  let folder: string;
  let file: string;
  let abort: AbortController;
  let lines: string[];
  let listeners: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "skep-reload-"));
    file = join(folder, "edge.yaml");
    writeFileSync(file, "one");
    abort = new AbortController();
    lines = [];
    listeners = process.listenerCount("SIGHUP");
  });
  afterEach(() => {
    abort.abort();
    rmSync(folder, { recursive: true });
    expect(process.listenerCount("SIGHUP")).toBe(listeners);
  });

  const start = (reload: (reason: ReloadReason) => Promise<void>, sighup = true): void => {
    const logger = createLogger({ destination: { write: (line) => void lines.push(line) } });
    reloadOn({ files: [file], signal: abort.signal, logger, sighup, debounce: 20 }, reload);
  };

  it("reloads when a file changes and at SIGHUP", async () => {
    const reasons: ReloadReason[] = [];
    start(async (reason) => void reasons.push(reason));
    // Emitted rather than sent: this may be a worker thread, which signals do not reach.
    process.emit("SIGHUP");
    await vi.waitFor(() => expect(reasons).toEqual([{ changed: [], signal: "SIGHUP" }]));
    writeFileSync(file, "two");
    await vi.waitFor(() => expect(reasons[1]).toEqual({ changed: [file] }));
  });

  it("outlives a real SIGHUP, and reloads at it", async () => {
    const module = JSON.stringify(new URL("./reload.ts", import.meta.url).href);
    const script = `
      const { reloadOn } = await import(${module});
      const abort = new AbortController();
      reloadOn({ files: [], signal: abort.signal, logger: console }, async ({ signal }) => {
        console.log("reloaded at", signal);
        abort.abort();
      });
      process.kill(process.pid, "SIGHUP");`;
    const args = ["--conditions=skep-source", "--input-type=module", "--eval", script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 10_000 });
    expect(stdout).toBe("reloaded at SIGHUP\n");
  });

  it("logs a reload that fails, and goes on", async () => {
    let calls = 0;
    start(async () => {
      calls++;
      if (calls === 1) throw new Error("edge.yaml:1:1: wrong");
    });
    writeFileSync(file, "two");
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: 50,
      msg: "reload failed; what was in force stays in force",
      err: { message: "edge.yaml:1:1: wrong" },
    });
    writeFileSync(file, "three");
    await vi.waitFor(() => expect(calls).toBe(2));
    expect(lines).toHaveLength(1);
  });

  it("runs one reload at a time, and one more for all that came meanwhile", async () => {
    let release = (): void => undefined;
    const reasons: ReloadReason[] = [];
    let running = 0;
    start(async (reason) => {
      reasons.push(reason);
      expect(++running).toBe(1);
      if (reasons.length === 1)
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      running--;
    });
    process.emit("SIGHUP");
    process.emit("SIGHUP");
    process.emit("SIGHUP");
    expect(reasons).toHaveLength(1);
    release();
    await vi.waitFor(() => expect(reasons).toHaveLength(2));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(reasons).toHaveLength(2);
  });

  it("leaves SIGHUP alone when told to", () => {
    start(async () => undefined, false);
    expect(process.listenerCount("SIGHUP")).toBe(listeners);
  });
});
