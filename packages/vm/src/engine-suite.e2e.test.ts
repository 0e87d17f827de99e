// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { isBuiltin } from "node:module";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { repository, suiteObject } from "@skep/testbed";
import { engineCases, suiteObjects } from "@skep/testbed/engine-suite";
import { type Browser, chromium } from "playwright-core";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunSuite } from "./engine-suite.page.test-kit.ts";
import type { VmEngineOptions } from "./vm-engine-options.ts";

const CHROMIUM = "/usr/bin/chromium";
const ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];

/** One script with all that the page needs, and the Node built-ins that something in it asked for. */
interface Bundle {
  readonly code: string;
  readonly builtins: readonly string[];
  /** Files that it was made of, relative to the repository. */
  readonly files: readonly string[];
}

/** Builds the packages as they are published, and bundles the page from them as anybody's bundler would. */
async function bundle(): Promise<Bundle> {
  const packages = ["packages/vm", "packages/testbed"];
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-b", ...packages], { cwd: repository });
  const builtins: string[] = [];
  const output = await build({
    configFile: false,
    logLevel: "error",
    root: repository,
    plugins: [
      {
        name: "node-built-ins",
        enforce: "pre",
        resolveId(source, importer) {
          if (isBuiltin(source)) builtins.push(`${source}, of ${importer}`);
          return null;
        },
      },
    ],
    build: {
      write: false,
      minify: false,
      target: "esnext",
      lib: {
        entry: fileURLToPath(new URL("engine-suite.page.test-kit.ts", import.meta.url)),
        formats: ["iife"],
        name: "suite",
      },
    },
  });
  const [chunk] = (output as Rolldown.RolldownOutput[])[0]?.output ?? [];
  if (chunk === undefined) throw new Error("the bundle is empty");
  const files = chunk.moduleIds.map((id) => relative(repository, id));
  return { code: chunk.code, builtins: [...builtins, ...chunk.imports, ...chunk.dynamicImports], files };
}

describe("the engine suite in Chromium", () => {
  let browser: Browser | undefined;
  let made: Bundle;

  beforeAll(async () => {
    made = await bundle();
  });
  afterAll(() => browser?.close());

  it("is bundled from the built packages, without a Node built-in", () => {
    expect(made.builtins).toEqual([]);
    expect(made.code).not.toMatch(/["'`]node:[a-z]/);
    const own = made.files.filter((file) => file.startsWith("packages/"));
    expect(own).toContain("packages/vm/dist/vm-engine.js");
    expect(own.filter((file) => !file.includes("/dist/"))).toEqual(["packages/vm/src/engine-suite.page.test-kit.ts"]);
  });

  const engines: readonly (readonly [string, VmEngineOptions])[] = [
    ["64-bit memory", { addressBits: 64 }],
    ["32-bit memory", { addressBits: 32 }],
  ];
  it.for(engines)("passes on vm with %s", async ([name, options], ctx) => {
    if (!existsSync(CHROMIUM)) ctx.skip("no Chromium: apt-get install chromium");
    browser ??= await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.addScriptTag({ content: made.code });
    const objects = Object.fromEntries(
      suiteObjects.map((object) => [object, Buffer.from(suiteObject(object)).toString("base64")]),
    );
    const outcomes = await page.evaluate(
      // The page's script has put it there.
      ([given, engine]) => (globalThis as unknown as { runSuite: RunSuite }).runSuite(given, engine),
      [objects, { ...options, memory: 16 << 20 }] as const,
    );
    await page.close();
    const passed = outcomes.filter(({ state }) => state === "passed");
    console.log(`${name} in Chromium ${browser.version()}: ${passed.length} of ${engineCases.length} cases passed`);
    expect(outcomes.filter(({ state }) => state !== "passed")).toEqual([]);
    expect(passed.map((outcome) => outcome.name)).toEqual(engineCases.map((suiteCase) => suiteCase.name));
    expect(complaints).toEqual([]);
  });
});
