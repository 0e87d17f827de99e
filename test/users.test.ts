// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, mkdirSync } from "node:fs";
import { promisify } from "node:util";
import { SkepProcess, TEST_USER, TempFolder, waitUntil } from "@skep/testbed";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);

function dataFolderOfTestUser(folder: TempFolder): string {
  const data = folder.join("data");
  mkdirSync(data);
  chownSync(data, TEST_USER, TEST_USER);
  return data;
}

describe("skep up as an ordinary user", () => {
  it("observes with CAP_BPF and CAP_PERFMON alone", async () => {
    using folder = new TempFolder();
    await using up = await SkepProcess.up(dataFolderOfTestUser(folder), [], { capabilities: ["bpf", "perfmon"] });
    const tag = randomBytes(12).toString("hex");
    await run("/bin/true", [tag]);
    const text = await waitUntil("the row", async () => {
      const answer = await up.get(`/api/rows/exec?limit=10&where=${encodeURIComponent(`args contains "${tag}"`)}`);
      return (await answer.text()) || undefined;
    });
    expect(JSON.parse(text.split("\n")[0] ?? "")).toMatchObject({ args: ["/bin/true", tag] });
    expect(await (await up.get("/api/info")).json()).toMatchObject({ recording: false });
    expect(await up.stop()).toBe(0);
  });

  it("plays the recording without any capability, and says so", async () => {
    using folder = new TempFolder();
    await using up = await SkepProcess.up(dataFolderOfTestUser(folder), [], { capabilities: [] });
    const info = (await (await up.get("/api/info")).json()) as { recording: boolean; notice?: { remedy: string[] } };
    expect(info.recording).toBe(true);
    expect(info.notice?.remedy.length).toBeGreaterThan(0);
    expect(up.process.output).toMatch(/recording/i);
    const text = await waitUntil(
      "a row",
      async () => (await (await up.get("/api/rows/exec?limit=1")).text()) || undefined,
    );
    expect(JSON.parse(text)).toMatchObject({ node: "recording" });
    expect(await up.stop()).toBe(0);
  });
});
