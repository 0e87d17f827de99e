// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreError, StoreInUseError } from "../errors.ts";
import { isDataFolderInUse, lockDataFolder } from "./folder-lock.ts";

let data: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "skep-lock-"));
});

afterEach(async () => {
  for (const child of children.splice(0)) await end(child);
  rmSync(data, { recursive: true });
});

/** Runs a script in another process, with the lock's functions and `data`. */
function run(script: string): ChildProcess {
  const url = JSON.stringify(new URL("./folder-lock.ts", import.meta.url).href);
  const source = `import { isDataFolderInUse, lockDataFolder } from ${url};
    import { mkdirSync, rmdirSync, rmSync } from "node:fs";
    const data = process.argv[1];
    ${script}`;
  const args = ["--conditions=skep-source", "--input-type=module", "-e", source, data];
  const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

describe("the lock of a data folder", () => {
  it("has one owner, whom others are told of until it is killed", async () => {
    const owner = run(`lockDataFolder(data, "skep up"); console.log("locked"); setInterval(() => 0, 1000);`);
    await once(owner.stdout!, "data");
    expect(isDataFolderInUse(data)).toEqual({ pid: owner.pid });
    const refusal = `data folder ${data} is in use by process ${owner.pid} (skep up)`;
    expect(() => lockDataFolder(data, "skep clean")).toThrow(new StoreInUseError(data, owner.pid, "skep up"));
    expect(() => lockDataFolder(data, "skep clean")).toThrow(refusal);
    await end(owner);
    expect(isDataFolderInUse(data)).toBeUndefined();
    using _mine = lockDataFolder(data, "skep clean");
    expect(readFileSync(join(data, "lock"), "utf8")).toBe(`${process.pid}\nskep clean\n`);
  });

  it("is refused to the process that has it, and given up once", () => {
    const lock = lockDataFolder(data, "skep up");
    expect(() => lockDataFolder(data, "skep up")).toThrow(StoreInUseError);
    lock[Symbol.dispose]();
    lock[Symbol.dispose]();
    lockDataFolder(data, "skep up")[Symbol.dispose]();
  });

  it("is not held by a process that merely has the number of a former owner", () => {
    writeFileSync(join(data, "lock"), `${process.pid}\nskep up\n`);
    expect(isDataFolderInUse(data)).toBeUndefined();
    lockDataFolder(data, "skep up")[Symbol.dispose]();
  });

  it("is looked at without making anything, where there is no folder too", () => {
    expect(isDataFolderInUse(data)).toBeUndefined();
    expect(existsSync(join(data, "lock"))).toBe(false);
    expect(isDataFolderInUse(join(data, "absent"))).toBeUndefined();
  });

  it("turns nobody away because others look", async () => {
    const watcher = run(`console.log("looking"); for (;;) isDataFolderInUse(data);`);
    lockDataFolder(data, "skep up")[Symbol.dispose]();
    await once(watcher.stdout!, "data");
    for (let round = 0; round < 500; round++) lockDataFolder(data, "skep up")[Symbol.dispose]();
  });

  it("keeps owners apart that remove its file", async () => {
    const contender = `
      let owned = 0;
      for (let round = 0; round < 1000; round++) {
        let lock;
        try { lock = lockDataFolder(data, "skep clean"); } catch { continue; }
        mkdirSync(data + "/critical");
        rmdirSync(data + "/critical");
        rmSync(data + "/lock");
        lock[Symbol.dispose]();
        owned++;
      }
      if (owned === 0) throw new Error("never had the lock");`;
    const codes = [run(contender), run(contender)].map(async (child) => (await once(child, "exit"))[0] as number);
    expect(await Promise.all(codes)).toEqual([0, 0]);
  }, 20_000);

  it("follows no link and names the folder that is not there", () => {
    const target = join(data, "precious");
    writeFileSync(target, "kept");
    symlinkSync(target, join(data, "lock"));
    expect(() => lockDataFolder(data, "skep up")).toThrow(`data folder ${data} cannot be locked: ELOOP`);
    expect(readFileSync(target, "utf8")).toBe("kept");
    expect(() => lockDataFolder(join(data, "absent"), "skep up")).toThrow(StoreError);
  });
});
