// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { generate, moduleNameOf } from "../../packages/ebpf/src/index.ts";
import { runCommand } from "./command.ts";
import type { Finding } from "./finding.ts";
import { runtimeModuleOf, runtimeModuleText } from "./runtime-code.ts";

/** One compiler for everybody: another version gives other bytes. */
const clang = "clang-19";
const strip = "llvm-strip-19";
const howToInstall = "apt-get install --no-install-recommends clang-19 llvm-19 libbpf-dev linux-libc-dev";

const sourcePatterns = [
  "packages/*/bpf/**/*.bpf.c",
  "packages/*/collectors/*/*.bpf.c",
  "packages/*/test-objects/**/*.bpf.c",
  "bench/**/*.bpf.c",
  "examples/**/*.bpf.c",
];

/** A source and what is committed beside it; paths relative to the root. */
export interface BpfSource {
  readonly source: string;
  readonly object: string;
  /**
   * Where one was put, a generated module is kept as the object is: `skep bpf generate` makes the first. The vm's runtime
   * always has its modules.
   */
  readonly module: string | undefined;
}

/** What a source asks of the compiler, in remarks of its head: `skep: target=bpfeb`, `skep: cpu=v4`. */
export interface BpfOptions {
  readonly target: "bpfel" | "bpfeb";
  readonly cpu: string;
}

/** The compiled object, or what the compiler objected to. */
export type Compiled = { readonly bytes: Buffer } | { readonly findings: readonly Finding[] };

/** Every BPF source of the repository, sorted. */
export function bpfSources(root: string): BpfSource[] {
  const paths = globSync(sourcePatterns, { cwd: root, exclude: (path) => /(^|\/)node_modules(\/|$)/.test(path) });
  return paths.sort().map((source) => {
    const module = source.replace(/\.c$/, ".ts");
    return {
      source,
      object: source.replace(/\.c$/, ".o"),
      module: runtimeModuleOf(source) ?? (existsSync(join(root, module)) ? module : undefined),
    };
  });
}

/** The text of a source's module, for the object that it compiles to. */
export function moduleText({ source }: BpfSource, object: Uint8Array): string {
  if (runtimeModuleOf(source) !== undefined) return runtimeModuleText(source, object);
  return generate(object, { name: moduleNameOf(source), source: basename(source) });
}

/** Reads the remarks in the first lines of a source. */
export function bpfOptions(text: string): BpfOptions {
  const head = text.split("\n", 5).join("\n");
  const target = /skep:.*\btarget=(\S+)/.exec(head)?.[1] ?? "bpfel";
  if (target !== "bpfel" && target !== "bpfeb") throw new Error(`target is "${target}", wanted bpfel or bpfeb`);
  return { target, cpu: /skep:.*\bcpu=(v[1-4])\b/.exec(head)?.[1] ?? "v3" };
}

/**
 * Compiles one source. The bytes depend on the sources, the headers and the compiler's version only: clang runs at
 * the root with relative paths, because BTF line information holds the names that it was given.
 */
export async function compileBpf(root: string, { source, object }: BpfSource): Promise<Compiled> {
  const { target, cpu } = bpfOptions(readFileSync(join(root, source), "utf8"));
  const directory = mkdtempSync(join(tmpdir(), "skep-bpf-"));
  try {
    const output = join(directory, "out.o");
    const includes = ["packages/ebpf/include", `/usr/include/${multiarch()}`].flatMap((path) => ["-I", path]);
    const reproducible = ["-fno-ident", `-ffile-prefix-map=${root}=.`, "-fdebug-compilation-dir=."];
    const flags = ["-g", "-O2", "-target", target, `-mcpu=${cpu}`, "-D__TARGET_ARCH_x86", "-Wall", "-Werror"];
    const args = [...flags, ...reproducible, ...includes, "-c", source, "-o", output];
    const compiled = await runCommand(clang, args, root);
    if (compiled.code !== 0) return { findings: parseClangErrors(compiled.stderr, source) };
    // -g strips DWARF and leaves BTF.
    const stripped = await runCommand(strip, ["-g", output], root);
    if (stripped.code !== 0) throw new Error(`${strip} ${object} failed: ${stripped.stderr}`);
    return { bytes: readFileSync(output) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const { path = clang } = error as NodeJS.ErrnoException;
    return { findings: [{ path: source, message: `cannot compile: ${path} is missing: ${howToInstall}` }] };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Recompiles every source and compares with the committed object; objects without a source are found too. */
export async function checkBpfObjects(root: string): Promise<Finding[]> {
  const sources = bpfSources(root);
  const known = new Set(sources.map(({ object }) => object));
  const findings: Finding[] = [];
  await forEachParallel(sources, async (source) => {
    const compiled = await compileBpf(root, source);
    if ("findings" in compiled) findings.push(...compiled.findings);
    else findings.push(...compare(root, source, compiled.bytes));
  });
  const objects = sourcePatterns.map((pattern) => pattern.replace(/\.c$/, ".o"));
  for (const path of globSync(objects, { cwd: root })) {
    if (!known.has(path)) findings.push({ path, message: "no source beside this object" });
  }
  return findings;
}

/** Runs a task for every item, as many at a time as there are cores. */
export async function forEachParallel<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await task(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

function compare(root: string, source: BpfSource, bytes: Buffer): Finding[] {
  const path = join(root, source.object);
  if (!existsSync(path)) return [{ path: source.source, message: `${source.object} is missing (npm run bpf)` }];
  const committed = readFileSync(path);
  if (!committed.equals(bytes)) {
    const sizes = `${committed.length} bytes, compiling gives ${bytes.length}`;
    return [{ path: source.object, message: `differs from what ${source.source} compiles to: ${sizes} (npm run bpf)` }];
  }
  const { module } = source;
  if (module === undefined) return [];
  if (!existsSync(join(root, module))) return [{ path: source.source, message: `${module} is missing (npm run bpf)` }];
  if (readFileSync(join(root, module), "utf8") === moduleText(source, bytes)) return [];
  return [{ path: module, message: `differs from what is generated for ${source.source} (npm run bpf)` }];
}

/** Where Debian keeps <asm/types.h>, which <linux/types.h> includes and a BPF target does not find by itself. */
function multiarch(): string {
  return process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
}

function parseClangErrors(output: string, source: string): Finding[] {
  const findings = output.split("\n").flatMap((text) => {
    const [, path, line, message] = /^(.+?):(\d+):\d+: (?:fatal )?error: (.*)$/.exec(text) ?? [];
    return path === undefined || message === undefined ? [] : [{ path, line: Number(line), message }];
  });
  return findings.length > 0 ? findings : [{ path: source, message: `${clang}: ${output.trim()}` }];
}
