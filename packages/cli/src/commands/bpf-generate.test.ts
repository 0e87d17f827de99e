// SPDX-License-Identifier: Apache-2.0

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bpfGenerate } from "./bpf-generate.ts";

const source = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#ifndef ENTRIES
#define ENTRIES 8
#endif
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, ENTRIES); __type(key, __u32); __type(value, __u64); }
counts SEC(".maps");
SEC("tp/sched/sched_process_exec") int count(void *context)
{
	__u32 key = 0;
	return bpf_map_lookup_elem(&counts, &key) != 0;
}
char LICENSE[] SEC("license") = "GPL";
`;

const installed = (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, "clang-19")));

describe.runIf(installed)("skep bpf generate", () => {
  let folder = "";
  let file = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "skep-generate-"));
    file = join(folder, "count.bpf.c");
    writeFileSync(file, source);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("compiles a source and writes the module beside it", async () => {
    await bpfGenerate(file, {});
    const text = readFileSync(join(folder, "count.bpf.ts"), "utf8");
    expect(text).toContain("from count.bpf.c.");
    expect(text).toContain("export function loadCount(");
    expect(text).toContain("/** hash, 8 entries. */\n  readonly counts: BpfMap<number, bigint>;");
  });

  it("hands on flags, and takes another name and place", async () => {
    const out = join(folder, "out.ts");
    await bpfGenerate(file, { out, name: "tally", cflag: ["-DENTRIES=99"] });
    expect(readFileSync(out, "utf8")).toContain("hash, 99 entries");
    expect(readFileSync(out, "utf8")).toContain("export class Tally ");
    await bpfGenerate(file, {
      out,
      defaultFlags: false,
      clang: "clang-19",
      strip: false,
      cflag: ["-target", "bpf", "-g", "-O2", "-I/usr/include/x86_64-linux-gnu"],
    });
    expect(readFileSync(out, "utf8")).toContain("hash, 8 entries");
  });

  it("says what the compiler objects to, and which compiler is missing", async () => {
    writeFileSync(file, "int f( {");
    await expect(bpfGenerate(file, {})).rejects.toThrow(/count\.bpf\.c.*failed: [\s\S]*error: expected/);
    await expect(bpfGenerate(file, { clang: "no-such-clang" })).rejects.toThrow("it is not installed");
  });
});
