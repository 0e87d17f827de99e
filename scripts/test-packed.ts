// SPDX-License-Identifier: Apache-2.0

// npm run test:packed, as root: packs every package as npm would publish it, installs the tarballs into an empty
// project, and runs the hello-world of docs/ebpf.md there, in TypeScript and in JavaScript, until it sees an event.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
/** How many lines of TypeScript hello-world may have. */
const MOST_LINES = 10;
/** Children run this Node, whatever the machine has; npm comes from the machine. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}` };

const folder = mkdtempSync(join(tmpdir(), "skep-packed-"));
try {
  const tarballs = await pack();
  const project = join(folder, "project");
  mkdirSync(project);
  await install(project, tarballs);
  const { c, typescript } = helloWorld();
  await runTypeScript(project, c, typescript);
  await runJavaScript(project, c, typescript);
  console.log("hello-world runs from the packed packages, in TypeScript and in JavaScript");
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Makes the tarballs, and looks into them: nothing that was not meant for others, nothing that is named but missing. */
async function pack(): Promise<string[]> {
  const tarballs: string[] = [];
  for (const name of readdirSync(join(root, "packages")).sort()) {
    const directory = join(root, "packages", name);
    const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Manifest;
    if (manifest.private === true) continue;
    const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: directory, env });
    const packed = (JSON.parse(stdout) as Packed[])[0];
    if (packed === undefined) throw new Error(`npm pack of ${name} says nothing`);
    const files = new Set(packed.files.map(({ path }) => path));
    const wanted = [
      ...["README.md", "LICENSE", "package.json"],
      ...Object.values(manifest.bin ?? {}),
      ...Object.values(manifest.exports ?? {}).flatMap((target) =>
        typeof target === "string" ? [target] : [target.types, target.default],
      ),
    ].map((path) => path.replace(/^\.\//, ""));
    const missing = wanted.filter((path) => !files.has(path));
    if (missing.length > 0) throw new Error(`the package of ${name} lacks ${missing.join(", ")}`);
    const stray = [...files].filter((path) => /\.test\b|test-kit|^src\/|^test-objects\//.test(path));
    if (stray.length > 0) throw new Error(`the package of ${name} has ${stray.join(", ")}`);
    tarballs.push(join(folder, packed.filename));
  }
  return tarballs;
}

/** Into a project that has nothing else; from npm's cache as far as that goes. */
async function install(project: string, tarballs: readonly string[]): Promise<void> {
  writeFileSync(join(project, "package.json"), '{ "name": "hello", "private": true, "type": "module" }\n');
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  await run("npm", ["install", ...quiet, ...tarballs], { cwd: project, env });
}

/** The first C and the first TypeScript of the section that shows them. */
function helloWorld(): { readonly c: string; readonly typescript: string } {
  const guide = readFileSync(join(root, "docs/ebpf.md"), "utf8");
  const section = /^## Hello, world\n([\s\S]*?)^## /m.exec(guide)?.[1] ?? "";
  const block = (language: string): string => {
    const text = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(section)?.[1];
    if (text === undefined) throw new Error(`docs/ebpf.md: "Hello, world" has no block of ${language}`);
    return text;
  };
  const typescript = block("ts");
  const lines = typescript.trimEnd().split("\n").length;
  if (lines > MOST_LINES) throw new Error(`docs/ebpf.md: hello-world is ${lines} lines, wanted ${MOST_LINES} at most`);
  return { c: block("c"), typescript };
}

async function runTypeScript(project: string, c: string, typescript: string): Promise<void> {
  writeFileSync(join(project, "hello.bpf.c"), c);
  writeFileSync(join(project, "hello.ts"), typescript);
  await run("npx", ["--no-install", "skep", "bpf", "generate", "hello.bpf.c"], { cwd: project, env });
  await checkTypes(project, "hello.ts");
  await seeEvent(project, "hello.ts");
}

async function runJavaScript(project: string, c: string, typescript: string): Promise<void> {
  const elsewhere = join(project, "javascript");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, "hello.bpf.c"), c);
  writeFileSync(join(elsewhere, "hello.js"), typescript.replaceAll(".bpf.ts", ".bpf.js"));
  // Without the machine's headers: ours are enough.
  const flags = ["--js", "--cflag=-nostdlibinc"];
  await run("npx", ["--no-install", "skep", "bpf", "generate", ...flags, "hello.bpf.c"], { cwd: elsewhere, env });
  copyFileSync(join(elsewhere, "hello.js"), join(elsewhere, "typed.ts"));
  await checkTypes(elsewhere, "typed.ts");
  await seeEvent(elsewhere, "hello.js");
}

/** Against the published declarations: what the editor of somebody who uses them would say. */
async function checkTypes(directory: string, file: string): Promise<void> {
  const config = {
    compilerOptions: {
      ...{ target: "es2024", lib: ["es2024", "esnext.disposable", "dom"], types: [] },
      ...{ module: "nodenext", allowImportingTsExtensions: true, erasableSyntaxOnly: true, noEmit: true, strict: true },
      ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, verbatimModuleSyntax: true },
      ...{ noUnusedLocals: true, skipLibCheck: false },
    },
    files: [file],
  };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config));
  try {
    await run(join(root, "node_modules/.bin/tsc"), ["-p", directory], { cwd: directory, env });
  } catch (error) {
    throw new Error(`${file} does not pass tsc:\n${(error as { stdout?: string }).stdout}`, { cause: error });
  }
}

/** Runs a hello-world and programs for it to see, until it greets one of them. */
async function seeEvent(directory: string, file: string): Promise<void> {
  const hello = spawn(process.execPath, [file], { cwd: directory, env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(hello, "exit");
  let errors = "";
  hello.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const greeter = setInterval(() => void run("/bin/true", []), 100);
  const impatience = setTimeout(() => hello.kill(), 20_000);
  try {
    for await (const line of createInterface({ input: hello.stdout })) {
      if (/^hello, true \(\d+\)$/.test(line)) return;
    }
    throw new Error(`${file} greeted nobody within 20 s. ${errors}`);
  } finally {
    clearInterval(greeter);
    clearTimeout(impatience);
    hello.kill();
    await ended;
  }
}

/** What is read of a package.json. */
interface Manifest {
  readonly private?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

/** What is read of `npm pack --json`. */
interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}
