// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockDataFolder } from "@skep/rows";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Endpoint, endpointFiles, findEndpoint, publishEndpoint } from "./endpoint.ts";

const mine: Endpoint = { pid: process.pid, url: "http://127.0.0.1:7537", token: "secret" };

describe("the endpoint of a running skep up", () => {
  let data: string;
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), "skep-endpoint-"));
  });
  afterEach(() => rmSync(data, { recursive: true }));

  it("is found for as long as its owner holds the folder and has it published", () => {
    const lock = lockDataFolder(data, "skep up");
    expect(findEndpoint(data)).toBeUndefined();
    const published = publishEndpoint(data, mine);
    expect(findEndpoint(data)).toEqual(mine);
    expect(statSync(join(data, "endpoint.json")).mode & 0o777).toBe(0o600);
    published[Symbol.dispose]();
    expect(findEndpoint(data)).toBeUndefined();
    expect(endpointFiles(data)).toEqual([]);
    lock[Symbol.dispose]();
  });

  it("is not believed when nobody holds the folder, though a process of that number runs", () => {
    writeFileSync(join(data, "endpoint.json"), JSON.stringify({ ...mine, pid: 1 }));
    expect(findEndpoint(data)).toBeUndefined();
    expect(findEndpoint(join(data, "absent"))).toBeUndefined();
  });

  it("is not believed when another process holds the folder, or when it is not whole", () => {
    using _lock = lockDataFolder(data, "skep rows");
    for (const text of [
      "",
      "{",
      '{"pid":1}',
      JSON.stringify({ ...mine, pid: 1 }),
      JSON.stringify({ ...mine, url: "file:///x" }),
    ]) {
      writeFileSync(join(data, "endpoint.json"), text);
      expect(findEndpoint(data), text).toBeUndefined();
    }
  });

  it("never writes through a link that lies in its way", () => {
    const victim = join(data, "victim");
    writeFileSync(victim, "untouched");
    for (const name of ["endpoint.json", "endpoint.json.new"]) symlinkSync(victim, join(data, name));
    using _published = publishEndpoint(data, mine);
    expect(readFileSync(victim, "utf8")).toBe("untouched");
    expect(readdirSync(data).sort()).toEqual(["endpoint.json", "endpoint.json.new", "victim"]);
  });
});
