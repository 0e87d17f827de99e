// SPDX-License-Identifier: Apache-2.0

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreError, StoreInUseError } from "../errors.ts";
import { lockDataFolder } from "./folder-lock.ts";
import { removeStore } from "./remove-store.ts";

/** Everything that Skep makes in a data folder. */
const OURS = [
  "lock",
  "pg/PG_VERSION",
  "pg.new-a1B2c3/base",
  "postgres-18.4.0/bin",
  "postgres-18.4.0.new/bin",
  "postgres.log",
  "postgres.log.1",
  "endpoint.json",
  "endpoint.json.x7",
];

let root: string;
let data: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "skep-remove-"));
  data = join(root, "data");
  mkdirSync(data);
});

afterEach(() => rmSync(root, { recursive: true }));

function put(...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(data, path)), { recursive: true });
    writeFileSync(join(data, path), path === "lock" ? "4194999\nskep up\n" : "x");
  }
}

describe("removeStore", () => {
  it("removes what Skep makes, then the empty folder, and tells", () => {
    put(...OURS);
    const names = new Set(OURS.map((path) => join(data, path.split("/")[0] ?? "")));
    expect(removeStore(data).toSorted()).toEqual([...names, data].toSorted());
    expect(existsSync(data)).toBe(false);
  });

  it("leaves what others put there, whatever it is called", () => {
    const others = ["notes.txt", "pg_dump.sql", "pg.old/PG_VERSION", "postgres-notes", "postgres.log.gz", "lock.txt"];
    put(...OURS, ...others);
    const removed = removeStore(data);
    expect(removed).not.toContain(data);
    expect(readdirSync(data).toSorted()).toEqual(others.map((path) => path.split("/")[0]).toSorted());
  });

  it("refuses a folder that is no store, and leaves it as it was", () => {
    for (const paths of [[], ["thesis.tex"], ["pg/notes", "postgres.log", "endpoint.json"]]) {
      put(...paths);
      const before = readdirSync(data, { recursive: true });
      expect(() => removeStore(data)).toThrow(`${data} is no data folder of Skep`);
      expect(readdirSync(data, { recursive: true })).toEqual(before);
    }
    writeFileSync(join(data, "lock"), "");
    expect(() => removeStore(data)).toThrow(StoreError);
    expect(existsSync(join(data, "thesis.tex"))).toBe(true);
    expect(() => removeStore(join(root, "absent"))).toThrow(StoreError);
    expect(() => removeStore(join(data, "thesis.tex"))).toThrow(StoreError);
  });

  it("refuses a store that is in use, naming by whom", () => {
    put(...OURS);
    using _owner = lockDataFolder(data, "skep up");
    expect(() => removeStore(data)).toThrow(StoreInUseError);
    expect(() => removeStore(data)).toThrow(`in use by process ${process.pid} (skep up)`);
    expect(readdirSync(data)).toHaveLength(9);
  });

  it("removes what is left of a store without a database", () => {
    put("lock", "endpoint.json");
    expect(removeStore(data)).toEqual([join(data, "endpoint.json"), join(data, "lock"), data]);
  });
});
