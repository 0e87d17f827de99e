// SPDX-License-Identifier: Apache-2.0

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { generate, vmlinuxHeader } from "@skep/ebpf";
import { KernelEngine } from "@skep/kernel";
import { repository, TempFolder } from "@skep/testbed";
import { defaultClangFlags } from "../../packages/cli/src/compile-bpf.ts";
import { completedC, type GuideSection } from "./guide-block.ts";
import { sectionProgram } from "./section-program.ts";

const run = promisify(execFile);
const HARNESS = join(import.meta.dirname, "harness.ts");
const RUNNER = join(import.meta.dirname, "run-sections.ts");
/** Milliseconds that the programs of all sections have together. */
const PATIENCE = 60_000;

/** What became of a section. */
export interface SectionResult {
  /** Why its program failed; empty when it went through. */
  readonly error: string;
  readonly milliseconds: number;
}

/** A folder where the guide's files are written, compiled, type-checked and run, a subfolder for each page. */
export class GuideWorkshop implements Disposable {
  readonly #folder = new TempFolder();
  readonly #programs = new Map<string, string>();
  /** Modules that the guide's TypeScript imports. */
  readonly #imported = new Set<string>();
  /** Blocks that do not run: where, and why not. */
  readonly notRun: string[] = [];
  /** What clang refused. */
  readonly compileErrors: string[] = [];
  /** What tsc says. */
  typeErrors = "";
  /** What vitest said of the files `x.test.ts` when not all of their tests passed. */
  testErrors = "";
  /** Tests in those files that passed. */
  tests = 0;
  /** What the process of the programs said when it did not end well. */
  endErrors = "";
  readonly results: Map<string, SectionResult> = new Map();

  constructor() {
    symlinkSync(join(repository, "node_modules"), this.#folder.join("node_modules"));
  }

  /** Compiles, checks and runs it all. */
  async run(sections: readonly GuideSection[]): Promise<void> {
    const sources = this.#writeC(sections);
    this.#writePrograms(sections);
    const left = sources[Symbol.iterator]();
    const compileNext = async (): Promise<void> => {
      for (const source of left) await this.#compile(source);
    };
    await Promise.all(Array.from({ length: availableParallelism() }, compileNext));
    await Promise.all([this.#checkTypes(), this.#runPrograms(), this.#runTests()]);
  }

  /** The key of a section in `results`; undefined when nothing of it runs. */
  keyOf(section: GuideSection): string | undefined {
    return this.#programs.get(nameOf(section));
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }

  #pageFolder({ page }: GuideSection): string {
    const folder = this.#folder.join(page.replaceAll("/", "-").replace(".md", ""));
    if (!existsSync(folder)) mkdirSync(folder);
    return folder;
  }

  #writeC(sections: readonly GuideSection[]): string[] {
    const sources = new Map<string, string>();
    const kernelTypesIn = new Set<string>();
    for (const section of sections) {
      const folder = this.#pageFolder(section);
      for (const { language, file, moreOf, text, place } of section.blocks) {
        const name = file ?? moreOf;
        if (language !== "c") continue;
        const path = join(folder, name ?? `${place.replace(/\W+/g, "-")}.bpf.c`);
        if (moreOf === undefined && sources.has(path)) throw new Error(`${place}: ${file} is there already`);
        sources.set(path, moreOf === undefined ? text : `${sources.get(path)}\n${text}`);
        if (text.includes('"vmlinux.h"')) kernelTypesIn.add(folder);
      }
    }
    for (const [path, text] of sources) writeFileSync(path, completedC(text));
    if (kernelTypesIn.size > 0) {
      const header = kernelTypes();
      for (const folder of kernelTypesIn) writeFileSync(join(folder, "vmlinux.h"), header);
    }
    return [...sources.keys()];
  }

  async #compile(source: string): Promise<void> {
    const object = source.replace(/\.c$/, ".o");
    try {
      await run("clang-19", [...defaultClangFlags(), "-Werror", "-c", source, "-o", object], {
        cwd: join(source, ".."),
      });
    } catch (error) {
      this.compileErrors.push(`${source}: ${(error as { stderr?: string }).stderr ?? error}`);
      return;
    }
    const name = source.replace(/^.*\/|\.bpf\.c$/g, "");
    if (!this.#imported.has(join(source, "..", `${name}.bpf.ts`))) return;
    writeFileSync(source.replace(/\.c$/, ".ts"), generate(readFileSync(object), { name, source: `${name}.bpf.c` }));
  }

  #writePrograms(sections: readonly GuideSection[]): void {
    for (const section of sections) {
      const folder = this.#pageFolder(section);
      const { code, typedOnly, notRun } = sectionProgram(section, HARNESS);
      this.notRun.push(...notRun);
      const name = nameOf(section);
      if (code !== "") {
        const path = join(folder, `${name}.ts`);
        writeFileSync(path, code);
        this.#programs.set(name, path);
      }
      for (const [index, text] of typedOnly.entries()) {
        writeFileSync(join(folder, `${name}-typed-${index}.ts`), `${text}\nexport {};\n`);
      }
      for (const { language, file, text } of section.blocks) {
        for (const [, module = ""] of text.matchAll(/from "\.\/(.+\.bpf\.ts)"/g))
          this.#imported.add(join(folder, module));
        if (file !== undefined && language !== "c") writeFileSync(join(folder, file), text);
      }
    }
  }

  /** As a project of somebody who uses the packages would. */
  async #checkTypes(): Promise<void> {
    const config = {
      compilerOptions: {
        ...{ target: "es2024", lib: ["es2024", "esnext.disposable", "dom"], types: ["node"] },
        ...{ module: "nodenext", allowImportingTsExtensions: true, erasableSyntaxOnly: true, noEmit: true },
        ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
        ...{ verbatimModuleSyntax: true, skipLibCheck: true, customConditions: ["skep-source"] },
      },
      include: ["*/*.ts"],
    };
    writeFileSync(this.#folder.join("tsconfig.json"), JSON.stringify(config));
    writeFileSync(this.#folder.join("package.json"), '{ "type": "module" }');
    const tsc = join(repository, "node_modules/.bin/tsc");
    try {
      await run(tsc, ["-p", this.#folder.path], { cwd: this.#folder.path, maxBuffer: 1 << 24 });
    } catch (error) {
      this.typeErrors = (error as { stdout?: string }).stdout ?? String(error);
    }
  }

  /** As somebody would who has the guide's files in a folder. */
  async #runTests(): Promise<void> {
    const conditions = '["skep-source", "node"]';
    const config = `export default { resolve: { conditions: ${conditions} }, ssr: { resolve: { conditions: ${conditions} } } };`;
    writeFileSync(this.#folder.join("vitest.config.js"), config);
    const report = this.#folder.join("tests.json");
    const arguments_ = ["run", "--root", this.#folder.path, "--reporter=json", `--outputFile=${report}`];
    try {
      await run(join(repository, "node_modules/.bin/vitest"), arguments_, { cwd: this.#folder.path });
    } catch (error) {
      this.testErrors = (error as { stderr?: string }).stderr ?? String(error);
    }
    if (!existsSync(report)) return;
    const { success, numPassedTests } = JSON.parse(readFileSync(report, "utf8")) as {
      success: boolean;
      numPassedTests: number;
    };
    this.tests = numPassedTests;
    if (!success) this.testErrors += readFileSync(report, "utf8");
  }

  /**
   * In a network namespace, with a mount namespace, BPF file system and cgroup of its own: `eth0` leads to `eth0` of the
   * network namespace `blue`, `/sys/fs/cgroup/app` is a cgroup.
   */
  async #runPrograms(): Promise<void> {
    const root = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) => existsSync(`${path}/cgroup.procs`)) ?? "";
    const cgroup = `${root}/skep-guide-${process.pid}`;
    mkdirSync(cgroup);
    const setUp = `
      set -e
      exec 4< "$0"
      mount -t tmpfs tmpfs /sys/fs/cgroup
      mkdir /sys/fs/cgroup/app
      mount --bind /proc/self/fd/4 /sys/fs/cgroup/app
      exec 4<&-
      mount -t tmpfs tmpfs /opt
      mkdir -p /run/netns
      mount -t tmpfs tmpfs /run/netns
      mount -t bpf bpf /sys/fs/bpf
      ip link set lo up
      ip netns add blue
      ip link add eth0 type veth peer name eth0 netns blue
      ip address add 10.0.0.1/24 dev eth0
      ip link set eth0 up
      ip -n blue address add 10.0.0.2/24 dev eth0
      ip -n blue link set eth0 up
      ip -n blue link set lo up
      exec "$@"`;
    const command = [process.execPath, "--conditions=skep-source", RUNNER, ...this.#programs.values()];
    const unshare = ["--net", "--mount", "--propagation", "private", "sh", "-c", setUp, cgroup, ...command];
    const child = spawn("unshare", unshare, { stdio: ["ignore", "pipe", "pipe", "pipe"] });
    const closed = once(child, "close");
    let errors = "";
    child.stdout?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    const impatience = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
    try {
      for await (const line of createInterface(child.stdio[3] as Readable)) {
        const { file, ...result } = JSON.parse(line) as SectionResult & { readonly file: string };
        this.results.set(file, result);
      }
      await closed;
      if (child.exitCode !== 0) this.endErrors = `ended with ${child.exitCode ?? child.signalCode}: ${errors}`;
      for (const file of this.#programs.values()) {
        if (this.results.has(file)) continue;
        const error = `it did not come to an end; the programs ${this.endErrors}`;
        this.results.set(file, { error, milliseconds: PATIENCE });
        break;
      }
    } finally {
      clearTimeout(impatience);
      rmdirSync(cgroup);
    }
  }
}

function nameOf({ page, title }: GuideSection): string {
  return `${page.replace(/^docs\/|\.md$/g, "")}-${title}`.toLowerCase().replaceAll(/\W+/g, "-");
}

function kernelTypes(): string {
  using engine = new KernelEngine();
  const types = engine.kernelTypes();
  if (types === undefined) throw new Error("this kernel does not show its types");
  return vmlinuxHeader(types);
}
