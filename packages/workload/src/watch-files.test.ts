// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { watchFiles } from "./watch-files.ts";

/** Long enough for an event and the debounce, too short for the poll. */
const SOON = 1000;
const DEBOUNCE = 30;
/** Long enough that a call would have come. */
const QUIET = 300;

describe("watchFiles", () => {
  let folder: string;
  let file: string;
  let abort: AbortController;
  let calls: string[][];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "skep-watch-"));
    file = join(folder, "edge.yaml");
    writeFileSync(file, "one");
    abort = new AbortController();
    calls = [];
  });
  afterEach(() => {
    abort.abort();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (...paths: string[]): void =>
    watchFiles(paths, (changed) => calls.push([...changed]), { signal: abort.signal, debounce: DEBOUNCE });
  const expectChange = async (changed: string[] = [file], timeout = SOON): Promise<void> => {
    await vi.waitFor(() => expect(calls).toEqual([changed]), { timeout, interval: 10 });
    calls = [];
  };
  const expectQuiet = async (): Promise<void> => {
    await sleep(QUIET);
    expect(calls).toEqual([]);
  };

  it("sees a write in place, and takes a burst of them for one change", async () => {
    start(file);
    for (let part = 0; part < 5; part++) {
      appendFileSync(file, "more");
      await sleep(5);
    }
    await expectChange();
    writeFileSync(file, "two");
    await expectChange();
  });

  it("sees a rename onto the file, every time", async () => {
    start(file);
    for (const text of ["two", "three", "four"]) {
      writeFileSync(join(folder, ".edge.yaml.tmp"), text);
      renameSync(join(folder, ".edge.yaml.tmp"), file);
      await expectChange();
    }
  });

  it("sees an editor move the file aside and write a new one", async () => {
    start(file);
    for (const text of ["two", "three"]) {
      renameSync(file, `${file}~`);
      writeFileSync(file, text);
      await expectChange();
    }
  });

  it("sees a ConfigMap's ..data link swapped, every time", async () => {
    const mount = join(folder, "mount");
    const put = (version: string, text: string): void => {
      mkdirSync(join(mount, version), { recursive: true });
      writeFileSync(join(mount, version, "edge.yaml"), text);
      symlinkSync(version, join(mount, "..data_tmp"));
      renameSync(join(mount, "..data_tmp"), join(mount, "..data"));
    };
    put("..v1", "one");
    const linked = join(mount, "edge.yaml");
    symlinkSync("..data/edge.yaml", linked);
    start(linked);
    put("..v2", "two");
    rmSync(join(mount, "..v1"), { recursive: true });
    await expectChange([linked]);
    put("..v3", "three");
    rmSync(join(mount, "..v2"), { recursive: true });
    await expectChange([linked]);
  });

  it("sees a change of the file that a link leads to", async () => {
    mkdirSync(join(folder, "elsewhere"));
    const target = join(folder, "elsewhere", "target.yaml");
    writeFileSync(target, "one");
    const link = join(folder, "link.yaml");
    symlinkSync(target, link);
    start(link);
    writeFileSync(target, "two");
    await expectChange([link]);
  });

  it("sees the file go and come back", async () => {
    start(file);
    unlinkSync(file);
    await expectChange();
    writeFileSync(file, "one");
    await expectChange();
  });

  it("sees the folder go and come back, and changes after that", async () => {
    const inner = join(folder, "a", "b");
    const deep = join(inner, "edge.yaml");
    mkdirSync(inner, { recursive: true });
    writeFileSync(deep, "one");
    start(deep);
    rmSync(join(folder, "a"), { recursive: true });
    await expectChange([deep]);
    for (const text of ["two", "three"]) {
      mkdirSync(inner, { recursive: true });
      writeFileSync(deep, text);
      await expectChange([deep]);
    }
  });

  it("sees changes after the folder was replaced at once", async () => {
    const inner = join(folder, "conf");
    const deep = join(inner, "edge.yaml");
    mkdirSync(inner);
    writeFileSync(deep, "one");
    start(deep);
    rmSync(inner, { recursive: true });
    mkdirSync(inner);
    writeFileSync(deep, "two");
    await expectChange([deep]);
    writeFileSync(deep, "three");
    await expectChange([deep]);
    mkdirSync(join(folder, "next"));
    writeFileSync(join(folder, "next", "edge.yaml"), "four");
    renameSync(inner, join(folder, "old"));
    renameSync(join(folder, "next"), inner);
    await expectChange([deep]);
    writeFileSync(deep, "five");
    await expectChange([deep]);
  });

  it("sees a file appear that was not there, nor its folder", async () => {
    const deep = join(folder, "x", "y", "edge.yaml");
    start(deep);
    mkdirSync(join(folder, "x", "y"), { recursive: true });
    writeFileSync(deep, "one");
    await expectChange([deep]);
  });

  it("takes a folder for its manifest files", async () => {
    start(folder);
    writeFileSync(join(folder, "notes.txt"), "x");
    writeFileSync(join(folder, ".edge.yaml.swp"), "x");
    await expectQuiet();
    writeFileSync(join(folder, "new.json"), "{}");
    await expectChange([join(folder, "new.json")]);
    unlinkSync(join(folder, "new.json"));
    await expectChange([join(folder, "new.json")]);
  });

  it("is silent when the content is the same", async () => {
    start(file);
    writeFileSync(file, "one");
    await expectQuiet();
    writeFileSync(`${file}.tmp`, "one");
    renameSync(`${file}.tmp`, file);
    await expectQuiet();
    unlinkSync(file);
    writeFileSync(file, "one");
    await expectQuiet();
  });

  it("sees a change of the same length right after another one", async () => {
    start(file);
    for (const text of ["two", "six", "ten"]) {
      writeFileSync(file, text);
      await expectChange();
    }
  });

  it("finds by looking what inotify does not tell of: a folder further up that is replaced", async () => {
    mkdirSync(join(folder, "a", "b"), { recursive: true });
    mkdirSync(join(folder, "other", "b"), { recursive: true });
    const deep = join(folder, "a", "b", "edge.yaml");
    writeFileSync(deep, "one");
    writeFileSync(join(folder, "other", "b", "edge.yaml"), "two");
    start(deep);
    renameSync(join(folder, "a"), join(folder, "old"));
    renameSync(join(folder, "other"), join(folder, "a"));
    await expectChange([deep], 3000);
    writeFileSync(deep, "three");
    await expectChange([deep]);
  });

  it("is silent after the signal", async () => {
    start(file);
    writeFileSync(file, "two");
    abort.abort();
    writeFileSync(file, "three");
    await expectQuiet();
  });

  it("keeps the process until the signal and no longer", async () => {
    const module = JSON.stringify(new URL("./watch-files.ts", import.meta.url).href);
    const script = `
      const { watchFiles } = await import(${module});
      const abort = new AbortController();
      watchFiles([${JSON.stringify(file)}], () => undefined, { signal: abort.signal });
      setTimeout(() => { console.log("alive"); abort.abort(); }, 300).unref();`;
    const args = ["--conditions=skep-source", "--input-type=module", "--eval", script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 10_000 });
    expect(stdout).toBe("alive\n");
  });
});
