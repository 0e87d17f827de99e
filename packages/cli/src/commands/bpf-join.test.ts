// SPDX-License-Identifier: Apache-2.0

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { program } from "../program.ts";
import { readObjectFile } from "../read-object-file.ts";

const [one, two] = ["join-one", "join-two"].map((name) =>
  fileURLToPath(new URL(`../../../ebpf/test-objects/${name}.bpf.o`, import.meta.url)),
) as [string, string];

describe("skep bpf join", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "skep-join-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const skep = (...args: string[]) => program().parseAsync(["bpf", "join", ...args], { from: "user" });

  it("writes an object of several", async () => {
    const out = join(folder, "out.o");
    await skep(out, one, two);
    expect([...readObjectFile(out).programs.keys()].sort()).toEqual(["count", "sum", "sum_there"]);
  });

  it("names the objects that do not fit together, and leaves the result alone", async () => {
    const out = join(folder, "out.o");
    const copy = join(folder, "copy.o");
    writeFileSync(copy, readFileSync(two));
    await expect(skep(out, one, two, copy)).rejects.toThrow(`it is defined in ${two} and in ${copy}`);
    expect(existsSync(out)).toBe(false);
    await expect(skep(copy, copy, one)).rejects.toThrow("the result comes first");
    expect(readFileSync(copy)).toEqual(readFileSync(two));
    await expect(skep(out, join(folder, "none.o"))).rejects.toThrow("none.o");
  });
});
