// SPDX-License-Identifier: Apache-2.0

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bpfGenerate } from "./bpf-generate.ts";

const source = `
#include <skep/bpf.h>
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

  it("takes a source that includes libbpf's and the kernel's headers", async () => {
    writeFileSync(file, source.replace("<skep/bpf.h>", "<linux/bpf.h>\n#include <bpf/bpf_helpers.h>"));
    await bpfGenerate(file, {});
    expect(readFileSync(join(folder, "count.bpf.ts"), "utf8")).toContain("hash, 8 entries");
  });

  it("writes JavaScript with its declarations", async () => {
    await bpfGenerate(file, { js: true });
    expect(readFileSync(join(folder, "count.bpf.js"), "utf8")).toContain("export function loadCount(options) {");
    expect(readFileSync(join(folder, "count.bpf.d.ts"), "utf8")).toContain("export declare function loadCount(");
    await bpfGenerate(file, { js: true, out: join(folder, "count.mjs") });
    expect(existsSync(join(folder, "count.d.mts"))).toBe(true);
  });

  it("hands on flags, and takes another name and place", async () => {
    const out = join(folder, "out.ts");
    await bpfGenerate(file, { out, name: "tally", cflag: ["-DENTRIES=99"] });
    expect(readFileSync(out, "utf8")).toContain("hash, 99 entries");
    expect(readFileSync(out, "utf8")).toContain("export class Tally ");
    const include = fileURLToPath(new URL("../../../ebpf/include", import.meta.url));
    await bpfGenerate(file, {
      out,
      defaultFlags: false,
      clang: "clang-19",
      strip: false,
      cflag: ["-target", "bpf", "-g", "-O2", `-I${include}`],
    });
    expect(readFileSync(out, "utf8")).toContain("hash, 8 entries");
  });

  it("says what the compiler objects to, and which compiler is missing", async () => {
    writeFileSync(file, "int f( {");
    await expect(bpfGenerate(file, {})).rejects.toThrow(/count\.bpf\.c.*failed: [\s\S]*error: expected/);
    await expect(bpfGenerate(file, { clang: "no-such-clang" })).rejects.toThrow(
      /it is not installed; .*apt-get install clang/,
    );
  });
});
