// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { SkepError } from "@skep/ebpf";

/** How to compile a BPF source. */
export interface CompileOptions {
  /** The compiler; `clang`, or the newest `clang-15` to `clang-22`, unless given. */
  readonly clang?: string;
  /**
   * Removes DWARF and keeps BTF; `llvm-strip`, found in the same way, unless given; false leaves it. DWARF only makes
   * the object larger: where no llvm-strip is found it stays.
   */
  readonly strip?: string | false;
  /** Put after {@link defaultClangFlags}, so that they win over them. */
  readonly flags?: readonly string[];
  /** Leaves {@link defaultClangFlags} out. */
  readonly noDefaultFlags?: boolean;
}

/** What clang calls this machine in `__TARGET_ARCH_…` of bpf_tracing.h, and its folder of headers. */
const MACHINES: Readonly<Record<string, readonly [target: string, multiarch: string]>> = {
  x64: ["x86", "x86_64-linux-gnu"],
  arm64: ["arm64", "aarch64-linux-gnu"],
};

/**
 * The flags of every compilation: BTF, version 3 of the instruction set (Linux 5.1), Skep's own headers, and the
 * machine's for sources that include <linux/…> or <bpf/…>.
 */
export function defaultClangFlags(): string[] {
  const [target, multiarch] = MACHINES[process.arch] ?? [process.arch, ""];
  const headers = join(dirname(fileURLToPath(import.meta.resolve("@skep/ebpf"))), "../include");
  return [
    ...["-g", "-O2", "-target", "bpf", "-mcpu=v3", `-D__TARGET_ARCH_${target}`, "-Wall"],
    // The bytes do not depend on where they were compiled, nor on the compiler's own name.
    ...["-fno-ident", "-fdebug-compilation-dir=."],
    ...["-I", headers],
    ...(multiarch === "" ? [] : ["-I", `/usr/include/${multiarch}`]),
  ];
}

/**
 * Compiles a `.bpf.c` with clang, in the folder that it lies in, and returns the object. Throws SkepError
 * `ERR_COMPILE` with what the compiler said.
 */
export function compileBpf(source: string, options: CompileOptions = {}): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "skep-compile-"));
  try {
    const output = join(folder, "out.o");
    const flags = [...(options.noDefaultFlags === true ? [] : defaultClangFlags()), ...(options.flags ?? [])];
    const cwd = dirname(resolve(source));
    run(options.clang ?? newest("clang") ?? "clang", [...flags, "-c", basename(source), "-o", output], cwd);
    const strip = options.strip ?? newest("llvm-strip") ?? false;
    if (strip !== false) run(strip, ["-g", output], cwd);
    return new Uint8Array(readFileSync(output));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A tool under its plain name, or under that of its newest version: Debian installs only those. */
function newest(tool: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(":").filter((folder) => folder !== "");
  const names = [tool, ...Array.from({ length: 8 }, (_, i) => `${tool}-${22 - i}`)];
  return names.find((name) => folders.some((folder) => existsSync(join(folder, name))));
}

function run(command: string, args: readonly string[], cwd: string): void {
  try {
    execFileSync(command, args, { cwd, stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
  } catch (cause) {
    const { code, stderr } = cause as { readonly code?: string; readonly stderr?: string };
    const missing = `it is not installed; it comes with LLVM (Debian, Ubuntu: apt-get install clang llvm; Fedora: dnf install clang llvm; Alpine: apk add clang llvm)`;
    const why = code === "ENOENT" ? missing : (stderr ?? "").trim() || String(cause);
    throw new SkepError("ERR_COMPILE", `${command} ${args.at(-3) ?? ""} failed: ${why}`, { cause });
  }
}
