// SPDX-License-Identifier: Apache-2.0

import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { repository, SkepProcess, type SkepUp, TempFolder, waitUntil } from "@skep/testbed";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const object = `${repository}packages/collector/collectors/exec/exec.bpf.o`;

function manifest(spec: object, name = "mine"): string {
  return JSON.stringify({ apiVersion: "skep/v1alpha1", kind: "Collector", metadata: { name }, spec });
}

async function rowsWithTag(up: SkepUp, stream: string, tag: string): Promise<number> {
  const where = encodeURIComponent(`args contains "${tag}"`);
  const answer = await up.get(`/api/rows/${stream}?where=${where}`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  return text.split("\n").filter((line) => line !== "").length;
}

async function workload(
  up: SkepUp,
  name: string,
): Promise<{ phase: string; generation: number; conditions: { type: string; status: string; message: string }[] }> {
  const all = (await (await up.get("/api/workloads")).json()) as { name: string; status: never }[];
  const found = all.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no workload ${name}`);
  return found.status;
}

describe("a second skep up", () => {
  it("is refused on the same folder, naming the first", async () => {
    using folder = new TempFolder();
    await using first = await SkepProcess.up(folder.join("data"));
    await using second = new SkepProcess(["up", "--data", folder.join("data"), "--port", "0"]);
    expect(await second.exit()).toBe(1);
    expect(second.output).toContain(`in use by process ${first.process.child.pid}`);
  });

  it("is refused on the same port, and leaves nothing", async () => {
    using folder = new TempFolder();
    await using first = await SkepProcess.up(folder.join("one"));
    await using second = new SkepProcess(["up", "--data", folder.join("two"), "--port", first.address.port]);
    expect(await second.exit()).toBe(1);
    expect(second.output).toContain(`127.0.0.1:${first.address.port}`);
    expect(second.output).toContain("EADDRINUSE");
    const left = execFileSync("ps", ["-eo", "args="], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line.includes(folder.join("two")));
    expect(left).toEqual([]);
  });
});

describe("a store that dies", () => {
  it("comes back by itself, and no row is lost or written twice", async () => {
    using folder = new TempFolder();
    await using up = await SkepProcess.up(folder.join("data"));
    const tag = randomBytes(12).toString("hex");
    const pids = execFileSync("pgrep", ["-f", `postgres -D ${folder.join("data")}`], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map(Number);
    expect(pids.length).toBeGreaterThan(0);
    for (let i = 0; i < 60; i++) {
      if (i === 20) process.kill(Math.min(...pids), "SIGKILL");
      await run("/bin/true", [tag, String(i)]);
    }
    await waitUntil("60 rows", async () => (await rowsWithTag(up, "exec", tag).catch(() => 0)) >= 60, 30_000);
    expect(await rowsWithTag(up, "exec", tag)).toBe(60);
  });
});

describe("a manifest", () => {
  it("is refused at the start with the place of every mistake", async () => {
    using folder = new TempFolder();
    const file = folder.join("bad.yaml");
    writeFileSync(
      file,
      "apiVersion: skep/v1alpha1\nkind: Collector\nmetadata: { name: bad }\nspec:\n  object: x.o\n  streams:\n    - { name: s, mapp: events }\n",
    );
    await using up = new SkepProcess(["up", "--data", folder.join("data"), "--port", "0", "-f", file]);
    expect(await up.exit()).toBe(1);
    expect(up.output).toMatch(/bad\.yaml:7:\d+/);
    expect(up.output).toContain("mapp");
    expect(up.output).toContain('"map"');
  });

  it("that does not fit its object fails alone, and says what was found and wanted", async () => {
    const cases: readonly [name: string, spec: object, message: RegExp][] = [
      ["map", { object, streams: [{ name: "a", map: "evnts" }] }, /no map "evnts"; it has execs, exits/],
      [
        "column",
        { object, streams: [{ name: "b", map: "execs", columns: [{ name: "pidd" }] }] },
        /no field "pidd".*it has .*pid/,
      ],
      ["records", { object, streams: [{ name: "c", map: "running" }] }, /carries no records/],
      ["variable", { object, variables: { onlyuid: 1 }, streams: [{ name: "d", map: "execs" }] }, /only_uid/],
      ["elf", { object: "map.json", streams: [{ name: "e", map: "execs" }] }, /map\.json: .*ELF/],
      ["gone", { object: "gone.o", streams: [{ name: "f", map: "execs" }] }, /gone\.o.*ENOENT/],
    ];
    using folder = new TempFolder();
    for (const [name, spec] of cases) writeFileSync(folder.join(`${name}.json`), manifest(spec, name));
    await using up = await SkepProcess.up(folder.join("data"), ["-f", folder.path]);
    for (const [name, , message] of cases) {
      const status = await workload(up, name);
      expect(status.phase, name).toBe("Failed");
      expect(status.conditions.map((condition) => condition.message).join()).toMatch(message);
    }
    expect((await workload(up, "exec")).phase).toBe("Running");
  });

  it("is read again when it is replaced or at SIGHUP, and a bad one changes nothing", async () => {
    using folder = new TempFolder();
    const file = folder.join("mine.json");
    const write = (text: string): void => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    };
    write(manifest({ object, variables: { only_uid: 4_000_000 }, streams: [{ name: "mine", map: "execs" }] }));
    await using up = await SkepProcess.up(folder.join("data"), ["-f", file]);
    const tag = randomBytes(12).toString("hex");
    await run("/bin/true", [tag]);
    await waitUntil("the bundled collector's row", async () => (await rowsWithTag(up, "exec", tag)) === 1);
    expect(await rowsWithTag(up, "mine", tag)).toBe(0);

    write(manifest({ object, variables: { only_uid: 0 }, streams: [{ name: "mine", map: "execs" }] }));
    await waitUntil("the new spec", async () => (await workload(up, "mine")).generation === 2);
    await run("/bin/true", [tag]);
    await waitUntil("a row", async () => (await rowsWithTag(up, "mine", tag)) === 1);

    write(manifest({ object, variables: { only_uid: "root" }, streams: [{ name: "mine", map: "execs" }] }));
    up.process.child.kill("SIGHUP");
    await waitUntil("the refusal", async () =>
      (await workload(up, "mine")).conditions.some(({ type, status }) => type === "SpecAccepted" && status === "False"),
    );
    await run("/bin/true", [tag]);
    await waitUntil("another row under the old spec", async () => (await rowsWithTag(up, "mine", tag)) === 2);
  });
});
