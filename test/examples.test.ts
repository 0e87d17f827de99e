// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { repository, SkepProcess } from "@skep/testbed";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);

describe("examples", () => {
  it("opens: prints rows of files being opened, and ends on SIGINT", async () => {
    await using running = new SkepProcess(["run", "-f", `${repository}examples/opens/opens.yaml`, "-o", "json"]);
    await running.waitFor(/"workload":"opens"/);
    await run("/bin/cat", ["/etc/hostname"]);
    await running.waitFor(/"comm":"cat"/);
    expect(await running.stop("SIGINT")).toBe(0);
  });

  it("read-a-ring: counts what it read", async () => {
    const reading = run(process.execPath, [
      "--conditions=skep-source",
      `${repository}examples/read-a-ring/read-a-ring.ts`,
    ]);
    const busy = setInterval(() => void readFileSync("/etc/hostname"), 10);
    const { stdout } = await reading.finally(() => clearInterval(busy));
    expect(Number(/^(\d+) files opened in a second\n$/.exec(stdout)?.[1])).toBeGreaterThan(20);
  });

  it("are what the guide shows", () => {
    const guide = readFileSync(`${repository}docs/collector.md`, "utf8").replaceAll(/^ {3}/gm, "");
    for (const name of ["opens.bpf.c", "opens.yaml"]) {
      const source = readFileSync(`${repository}examples/opens/${name}`, "utf8").split("\n").slice(1).join("\n");
      expect(guide, name).toContain(source.trim());
    }
  });
});
