// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { loadManifests } from "./load-manifests.ts";
import type { ManifestError } from "./manifest-error.ts";
import type { Workload } from "./workload.ts";

const echo: Workload<unknown> = {
  kind: "Echo",
  schema: z.strictObject({ port: z.int() }),
  streams: () => [],
  start: () => Promise.reject(new Error("only loaded here")),
};
const kinds = [echo];
const manifest = (name: string, port: number | string = 1): string =>
  `apiVersion: skep/v1alpha1\nkind: Echo\nmetadata: { name: ${name} }\nspec: { port: ${port} }\n`;

describe("loadManifests", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "skep-load-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const put = (name: string, text: string | Uint8Array): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const refusal = (...paths: string[]): Promise<ManifestError> =>
    loadManifests(paths, { kinds }).then(
      () => expect.fail("the manifests were accepted"),
      (error: unknown) => error as ManifestError,
    );

  it("reads files, folders and standard input, in that order and folders by name", async () => {
    mkdirSync(join(folder, "more"));
    put("more/z.yml", manifest("z"));
    put("more/b.json", '{"apiVersion":"skep/v1alpha1","kind":"Echo","metadata":{"name":"b"},"spec":{"port":1}}');
    put("more/.hidden.yaml", "broken: [");
    put("more/notes.txt", "broken: [");
    mkdirSync(join(folder, "more/deeper"));
    put("more/deeper/d.yaml", "broken: [");
    const stdin = (async function* () {
      yield manifest("from-stdin").slice(0, 9);
      yield manifest("from-stdin").slice(9);
    })();
    const loaded = await loadManifests([put("a.yaml", `\ufeff${manifest("a")}`), join(folder, "more"), "-"], {
      kinds,
      stdin,
    });
    expect(loaded.map(({ metadata, source }) => [metadata.name, source.base])).toEqual([
      ["a", folder],
      ["b", join(folder, "more")],
      ["z", join(folder, "more")],
      ["from-stdin", process.cwd()],
    ]);
  });

  it("reports the problems of all files at once, among them those that cannot be read", async () => {
    const a = put("a.yaml", manifest("a"));
    const again = put("again.yaml", `# the same\n${manifest("a")}`);
    const wrong = put("wrong.yaml", manifest("w", "high"));
    const missing = join(folder, "missing.yaml");
    const error = await refusal(missing, a, wrong, again);
    expect(error.message.split("\n")).toEqual([
      `${missing}: ENOENT: no such file or directory`,
      `${wrong}:4:15: spec.port: found "high", wanted a whole number`,
      `${again}:2:1: metadata.name: Echo "a" is given twice; first in ${a}:1`,
    ]);
  });

  it("refuses what is no text, and never reads more than a manifest may have", async () => {
    const binary = put("binary.yaml", Uint8Array.of(0xff, 0xfe, 0x00));
    expect((await refusal(binary)).message).toBe(`${binary}: the file is not UTF-8`);
    expect((await refusal(put("large.yaml", "#".repeat(1_048_577)))).message).toContain("wanted at most 1048576 bytes");
    const stdin = (async function* () {
      for (;;) yield "# no end\n".repeat(1000);
    })();
    await expect(loadManifests(["-"], { kinds, stdin })).rejects.toThrow(
      "-: it is larger, wanted at most 1048576 bytes",
    );
  });

  it("does not wait for pipes and devices", async () => {
    const pipe = join(folder, "pipe.yaml");
    execFileSync("mkfifo", [pipe]);
    const error = await refusal(folder, "/dev/zero");
    expect(error.message.split("\n")).toEqual([
      `${pipe}: it is a pipe, wanted a regular file`,
      "/dev/zero: it is a device, wanted a regular file",
    ]);
  });
});
