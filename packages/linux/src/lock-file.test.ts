// SPDX-License-Identifier: Apache-2.0

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockFile } from "./lock-file.ts";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "skep-lock-"));
  path = join(directory, "lock");
});

afterEach(() => rmSync(directory, { recursive: true }));

const script = (end: string): string => `
  import { lockFile } from ${JSON.stringify(new URL("./lock-file.ts", import.meta.url).href)};
  const lock = lockFile(process.argv[1]);
  console.log(lock === undefined ? "held" : "taken");
  ${end}
`;

describe("a file lock", () => {
  it("is given once, and again after it was closed", () => {
    const first = lockFile(path);
    expect(first).toBeDefined();
    expect(lockFile(path)).toBeUndefined();
    first?.close();
    first?.close();
    using second = lockFile(path);
    expect(second).toBeDefined();
  });

  it("is seen by other processes", () => {
    using lock = lockFile(path);
    expect(lock).toBeDefined();
    const other = spawnSync(process.execPath, ["--input-type=module", "-e", script(""), path], { encoding: "utf8" });
    expect(other.stdout).toBe("held\n");
  });

  it("is free again when its holder is killed", async () => {
    const holder = spawn(process.execPath, ["--input-type=module", "-e", script("setInterval(() => 0, 1000);"), path]);
    const [output] = await once(holder.stdout, "data");
    expect(String(output)).toBe("taken\n");
    expect(lockFile(path)).toBeUndefined();
    holder.kill("SIGKILL");
    await once(holder, "exit");
    using lock = lockFile(path);
    expect(lock).toBeDefined();
  });

  it("says which file cannot be opened", () => {
    expect(() => lockFile(join(directory, "absent", "lock"))).toThrow("absent/lock");
  });
});
