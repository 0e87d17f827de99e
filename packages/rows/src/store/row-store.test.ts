// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreError, StoreInUseError } from "../errors.ts";
import { lockDataFolder } from "./folder-lock.ts";
import { openStore } from "./row-store.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skep-open-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("opening a store that is to be there", () => {
  it("says what to do where there is none, and makes nothing", async () => {
    for (const data of [folder, join(folder, "absent")]) {
      const refusal = openStore({ data }, { create: false });
      await expect(refusal).rejects.toBeInstanceOf(StoreError);
      await expect(refusal).rejects.toThrow(
        new RegExp(`^data folder ${data} holds no database of rows: .*"skep up" makes one`),
      );
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it("names the owner that is about to make it", async () => {
    using _owner = lockDataFolder(folder, "skep up");
    await expect(openStore({ data: folder }, { create: false })).rejects.toBeInstanceOf(StoreInUseError);
  });
});

describe("the address of a PostgreSQL", () => {
  it("is refused with an example when it is none, without its password", async () => {
    const wanted = "wanted postgres://USER:PASSWORD@HOST:PORT/DATABASE";
    await expect(openStore({ url: "nonsense" })).rejects.toThrow(
      `store "nonsense" is no address of a PostgreSQL: it does not begin with postgres://; ${wanted}`,
    );
    await expect(openStore({ url: "postgres://me:secret@host:port/rows" })).rejects.toThrow(
      `store "postgres://me:…@host:port/rows" is no address of a PostgreSQL: Invalid URL; ${wanted}`,
    );
    await expect(openStore({ url: "mysql://host/rows" })).rejects.toBeInstanceOf(StoreError);
  });

  it("may be a host's or a socket's", async () => {
    for (const url of ["postgresql://me@[::1]:5433/rows?sslmode=disable", "postgres:///rows?host=/run/postgresql"]) {
      await (await openStore({ url })).close();
    }
  });
});
