// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Btf } from "./btf/btf.ts";
import { vmlinuxHeader } from "./btf/c/print-c.ts";
import { readBtf } from "./btf/read-btf.ts";
import { BtfKind } from "./btf/types.ts";
import { parseObject } from "./parse-object.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const include = fileURLToPath(new URL("../include", import.meta.url));
const sources = fileURLToPath(new URL("../test-objects/headers", import.meta.url));
const system = ["-I", `/usr/include/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`];
/** Ours alone: neither /usr/include nor anything else but the compiler's own headers. */
const alone = ["-nostdlibinc"];
const machine = process.arch === "arm64" ? "arm64" : "x86";
const installed = (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, "clang-19")));

const run = promisify(execFile);
let folder = "";
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "skep-headers-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Compiles with warnings as errors; gives the object. */
async function compile(source: string, ...flags: string[]): Promise<Uint8Array> {
  const output = join(folder, `${count++}.o`);
  const usual = ["-g", "-O2", "-target", "bpf", "-mcpu=v3", `-D__TARGET_ARCH_${machine}`, "-Wall", "-Werror"];
  await run("clang-19", [...usual, "-I", include, ...flags, "-c", source, "-o", output], { cwd: root });
  return new Uint8Array(readFileSync(output));
}

/** Writes a source and compiles it. */
function compileText(text: string, ...flags: string[]): Promise<Uint8Array> {
  const source = join(folder, `${count++}.c`);
  writeFileSync(source, text);
  return compile(source, ...flags);
}

/** The instructions of each program, and what they refer to. */
function programsOf(object: Uint8Array): unknown {
  return [...parseObject(object).programs.values()].map((program) => ({
    name: program.name,
    section: program.section,
    instructions: Buffer.from(program.instructions).toString("hex"),
    maps: program.mapReferences,
    relocations: program.coreRelocations.map(({ kind, instruction }) => ({ kind, instruction })),
  }));
}

describe.runIf(installed)("the headers", () => {
  it("compile each by itself", async () => {
    const headers = readdirSync(join(include, "skep")).filter((name) => /^[\w-]+\.h$/.test(name));
    expect(headers).toContain("bpf.h");
    await Promise.all(headers.map((name) => compileText(`#include <skep/${name}>\n`, ...alone, "-std=gnu11")));
  }, 60_000);

  it("compile for both byte orders, both machines and every instruction set, with nothing else installed", async () => {
    const source = join(sources, "everything.c");
    for (const [target, cpus] of [["bpfel", ["v1", "v2", "v3", "v4"]] as const, ["bpfeb", ["v1", "v3"]] as const]) {
      for (const arch of ["x86", "arm64"]) {
        await Promise.all(
          cpus.map((cpu) =>
            compile(
              source,
              ...[...alone, "-target", target, `-mcpu=${cpu}`, `-U__TARGET_ARCH_${machine}`],
              `-D__TARGET_ARCH_${arch}`,
            ),
          ),
        );
      }
    }
  }, 60_000);

  it("compile after and before the kernel's and libbpf's", async () => {
    const source = join(sources, "everything.c");
    await compile(source, ...system, "-DWITH_UAPI");
    await compile(source, ...system, "-DWITH_UAPI", "-DWITH_LIBBPF");
    await compile(source, ...system, "-DWITH_UAPI_AFTER");
  }, 60_000);

  it("compile after the running kernel's vmlinux.h", async () => {
    const text = vmlinuxHeader(readBtf(readFileSync("/sys/kernel/btf/vmlinux")));
    writeFileSync(join(folder, "vmlinux.h"), text);
    await compile(join(sources, "everything.c"), ...alone, "-I", folder, "-DWITH_VMLINUX");
  }, 60_000);

  it("say in words what registers need, and still compile the rest without a machine", async () => {
    const text = '#include <skep/bpf.h>\nSEC("tc") int f(void *ctx) { return bpf_htons(1); }\n';
    await compileText(text, ...alone, `-U__TARGET_ARCH_${machine}`);
    const probe = '#include <skep/bpf.h>\nSEC("kprobe") int BPF_KPROBE(f, int a) { return a; }\n';
    await expect(compileText(probe, ...alone, `-U__TARGET_ARCH_${machine}`)).rejects.toThrow(
      "registers need -D__TARGET_ARCH_x86 or -D__TARGET_ARCH_arm64",
    );
    const seventh = '#include <skep/bpf.h>\nSEC("kprobe") int f(struct pt_regs *c) { return PT_REGS_PARM7(c); }\n';
    await expect(compileText(seventh, ...alone, `-U__TARGET_ARCH_${machine}`, "-D__TARGET_ARCH_x86")).rejects.toThrow(
      "passes the seventh argument and those after it on the stack",
    );
    await compileText(seventh, ...alone, `-U__TARGET_ARCH_${machine}`, "-D__TARGET_ARCH_arm64");
  }, 60_000);

  it("give the same instructions as libbpf's", async () => {
    const source = join(sources, "both.c");
    for (const cpu of ["-mcpu=v2", "-mcpu=v3"]) {
      const theirs = programsOf(await compile(source, ...system, "-DWITH_LIBBPF", cpu));
      expect(programsOf(await compile(source, ...alone, cpu))).toEqual(theirs);
    }
  }, 60_000);

  it("replace libbpf's and the kernel's in the repository's own programs, instruction for instruction", async () => {
    const files = [
      "packages/collector/collectors/exec/exec.bpf.c",
      "packages/ebpf/test-objects/kernel-core.bpf.c",
      "packages/ebpf/test-objects/variables.bpf.c",
      "packages/kernel/test-objects/links-network.bpf.c",
      "packages/kernel/test-objects/links-probes.bpf.c",
      "packages/kernel/test-objects/maps-storage.bpf.c",
    ];
    await Promise.all(
      files.map(async (file) => {
        const text = readFileSync(join(root, file), "utf8");
        const own = text
          .replaceAll(/#include <(linux\/(bpf|types)\.h|bpf\/bpf_\w+\.h)>/g, "#include <skep/bpf.h>")
          .replaceAll(/#include <linux\/(if_ether|in|ip|udp)\.h>/g, "#include <skep/net.h>");
        expect(own, file).not.toBe(text);
        const theirs = programsOf(await compile(file, ...system));
        expect(programsOf(await compileText(own, ...alone, "-I", join(root, file, ".."))), file).toEqual(theirs);
      }),
    );
  }, 60_000);
});

describe.runIf(existsSync("/sys/kernel/btf/vmlinux"))("what the headers say of the kernel", () => {
  let kernel: Btf;
  beforeAll(() => {
    kernel = readBtf(readFileSync("/sys/kernel/btf/vmlinux"));
  });

  it("is the number of each helper, and none is missing", () => {
    const text = readFileSync(join(include, "skep/helper-functions.h"), "utf8");
    const ours = new Map(
      [...text.matchAll(/\(\*const (\w+)\)\(.*= \(void \*\)(\d+);$/gm)].map(([, name = "", id]) => [name, Number(id)]),
    );
    const theirs = [...enumOf(kernel, "BPF_FUNC_unspec")]
      .filter(([name]) => name.startsWith("BPF_FUNC_") && name !== "BPF_FUNC_unspec")
      .map(([name, id]): [string, number] => [name.replace("BPF_FUNC_", "bpf_"), Number(id)]);
    expect(theirs.length).toBeGreaterThan(200);
    // An older kernel has fewer.
    for (const [name, id] of theirs) expect(ours.get(name), name).toBe(id);
    expect([...ours.values()]).toEqual(Array.from({ length: ours.size }, (_, i) => i + 1));
  });

  it.runIf(installed)("is the layout of each struct and the value of each name", async () => {
    const header = readFileSync(join(include, "skep/uapi.h"), "utf8");
    const structs = [...header.matchAll(/^struct (\w+) \{/gm)].map(([, name = ""]) => name);
    expect(structs.length).toBeGreaterThan(30);
    const members = structs.map((name) => `struct ${name} m_${name};`).join("\n");
    const enums = [...header.matchAll(/^enum (\w+) \{/gm)].map(([, name = ""]) => name);
    const text = `#include <skep/bpf.h>\nstruct all {\n${members}\n${enums.map((name) => `enum ${name} e_${name};`).join("\n")}\n};\nstruct all all;\n`;
    const { btf } = parseObject(await compileText(text, ...alone));
    if (btf === undefined) throw new Error("clang wrote no BTF");
    for (const name of structs) {
      const theirs = layoutOf(kernel, name);
      const places = layoutOf(btf, name);
      expect(places.size, name).toBeGreaterThan(0);
      // Kernels differ in how many members there are, at the end.
      const common = Math.min(places.size, theirs.size);
      expect([...places].slice(0, common), name).toEqual([...theirs].slice(0, common));
    }
    for (const name of enums) {
      const theirs = new Map(enumsNamed(kernel, name));
      // Names are not taken away, but newer kernels have more, and move the last.
      for (const [label, value] of enumsNamed(btf, name)) {
        const known = theirs.get(label);
        if (known !== undefined && !/^(__MAX|__BPF.*MAX)/.test(label)) expect(known, label).toBe(value);
      }
    }
  });
});

function enumOf(btf: Btf, value: string): Map<string, number | bigint> {
  for (let id = 1; id < btf.typeCount; id++) {
    const type = btf.typeById(id);
    if ("values" in type && type.values.some(({ name }) => name === value)) {
      return new Map(type.values.map(({ name, value }) => [name, value]));
    }
  }
  throw new Error(`no enum has ${value}`);
}

function enumsNamed(btf: Btf, name: string): [string, number | bigint][] {
  const id = btf.idsByName(name).find((candidate) => "values" in btf.typeById(candidate)) ?? 0;
  const type = btf.typeById(id);
  return "values" in type ? type.values.map(({ name: label, value }) => [label, value]) : [];
}

/** The place of each member in bits, those of anonymous members among them, in their order. */
function layoutOf(btf: Btf, name: string): Map<string, number> {
  const id = btf.idsByName(name).find((candidate) => btf.typeById(candidate).kind === BtfKind.STRUCT) ?? 0;
  const places = new Map<string, number>();
  const add = (type: number, base: number): void => {
    const composite = btf.typeById(btf.resolve(type));
    if (!("members" in composite)) return;
    for (const member of composite.members) {
      if (member.name === "") add(member.type, base + member.bitOffset);
      else places.set(member.name, base + member.bitOffset);
    }
  };
  add(id, 0);
  return places;
}
