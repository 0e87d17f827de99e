// SPDX-License-Identifier: Apache-2.0

import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MapType, ProgramType } from "@skep/ebpf";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Why a feature may have no test. */
const exceptions = ["hardware offload", "Windows", "newer than Linux 6.18", "no target"];
const legs = ["host", "6.1", "6.12"];

interface Feature {
  readonly feature: string;
  readonly since: string;
  readonly engine: string;
  readonly test: string;
}

/** The tables of a page: each row of four cells that is no head and no rule. */
function readTables(page: string): Feature[] {
  const rows = page.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| feature |"));
  return rows.map((line) => {
    const cells = line.slice(2, -2).split(" | ");
    const [feature = "", since = "", engine = "", test = ""] = cells;
    if (cells.length !== 4 || !line.endsWith(" |")) throw new Error(`a row of ${cells.length} cells: ${line}`);
    return { feature, since, engine, test: test.replace(/^`(.*)`$/, "$1") };
  });
}

/** What a title stands for: `runs %s` and `runs $name` for any `runs …`, whose words are then looked for. */
type Titles = readonly RegExp[];

/** The titles in a test file, as they are written: of suites, and of tests. */
function titlesOf(source: string): { readonly describe: Titles; readonly it: Titles } {
  const titles = { describe: [] as RegExp[], it: [] as RegExp[] };
  // Before the title stand modifiers, which may have arguments: describe.runIf(clang !== undefined)("prints C", …).
  const modifier = /\.\w+(?:<[^"'`]{0,300}?>)?(?:\([\s\S]{0,10000}?\))?/.source;
  const title = /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)/.source;
  const written = new RegExp(`\\b(describe|it)(?:${modifier}){0,2}?\\(\\s*${title}`, "g");
  for (const [, kind, quoted = ""] of source.matchAll(written)) {
    const text = quoted.slice(1, -1).replace(/\\(["'`\\])/g, "$1");
    const parts = text
      .split(/%[sdifjoO]|\$\{[^}]*\}|\$[a-zA-Z][\w.]*/)
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    titles[kind as "describe" | "it"].push(new RegExp(`^${parts.join("(.*)")}$`, "s"));
  }
  return titles;
}

/** Why a file has no test of this name (`suite > test`); undefined when it has. */
function missing(path: string, name: string, words: string): string | undefined {
  if (!existsSync(join(root, path))) return `there is no file ${path}`;
  const source = read(path);
  const { describe: suites, it: tests } = titlesOf(source);
  const within = source.toLowerCase() + words;
  const names = name.split(" > ");
  for (const [depth, title] of names.entries()) {
    const last = depth === names.length - 1;
    const found = (last ? tests : suites).some((written) => {
      const stands = written.exec(title);
      // What stands for a table's entry is in the table, or among what the library names.
      return stands
        ?.slice(1)
        .every((text) => (text.match(/\w+/g) ?? []).every((word) => within.includes(word.toLowerCase())));
    });
    if (!found) return `${path} has no ${last ? "test" : "suite"} "${title}"`;
  }
  return undefined;
}

const features = readTables(read("docs/support.md"));
const tested = features.filter(({ test }) => !test.startsWith("none: "));

describe("docs/support.md", () => {
  it("has a test for every feature, or one of the few reasons to have none", () => {
    expect(tested.length).toBeGreaterThan(400);
    const without = features.filter((feature) => !tested.includes(feature));
    expect(without.filter(({ test }) => !exceptions.includes(test.replace("none: ", "")))).toEqual([]);
    // Who is new enough to have one may not say so.
    expect(without.filter(({ test, since }) => test.includes("newer than") !== (since === "after 6.18"))).toEqual([]);
    expect(without.length).toBeLessThan(10);
  });

  it("names tests that there are", () => {
    const sources = globSync("packages/{ebpf,kernel,linux}/src/**/*.ts", { cwd: root });
    const words = sources
      .filter((path) => !path.endsWith(".test.ts"))
      .map(read)
      .join("\n")
      .toLowerCase();
    const wrong = tested.flatMap(({ feature, test }) => {
      const [path = "", ...names] = test.split(" > ");
      const problem = missing(path, names.join(" > "), words);
      return problem === undefined ? [] : [`${feature}: ${problem}`];
    });
    expect(wrong).toEqual([]);
  });

  it("names tests that run on some leg", () => {
    const skipped = legs.map((leg) => new Set(Object.keys(JSON.parse(read(`test/expected-skips/${leg}.json`)))));
    const never = tested.filter(({ test }) => {
      // The emulated legs run the kernel tests of two packages.
      const everywhere = /^packages\/(?:kernel|linux)\/src\/\S*\.kernel\.test\.ts > /.test(test);
      return (everywhere ? skipped : skipped.slice(0, 1)).every((list) => list.has(test));
    });
    expect(never.map(({ feature, test }) => `${feature}: ${test} is expected to be skipped on every leg`)).toEqual([]);
  });

  it("is well-formed, and each line says something of its own", () => {
    const seen = new Set<string>();
    for (const { feature, since, engine } of features) {
      expect(since, feature).toMatch(/^(—|after 6\.18|\d\.\d+(, cookie \d\.\d+)?)$/);
      expect(["any", "kernel"], feature).toContain(engine);
      seen.add(feature);
    }
    // Some types of maps and of programs have the same name.
    const shared = Object.keys(MapType).filter((name) => name in ProgramType).length;
    expect(seen.size).toBe(features.length - shared);
  });

  it("has every type of maps and of programs", () => {
    const names = [...Object.keys(MapType), ...Object.keys(ProgramType)].filter((name) => name !== "UNSPEC");
    const rows = new Set(features.map(({ feature }) => feature));
    expect(names.filter((name) => !rows.has(`\`${name.toLowerCase()}\``))).toEqual([]);
  });
});

describe("the reading of test files", () => {
  it("finds titles however they are written, and none that are not there", () => {
    const titles = titlesOf(`
      describe.each([["a", () => f("x")]])("a %s of $kind", () => { it("says \\"no\\"", () => {}); });
      it.for([1, 2] as const)(\`counts \${one} more\`, () => {});
    `);
    const matches = (of: Titles, title: string): boolean => of.some((each) => each.test(title));
    expect(matches(titles.describe, "a map of type")).toBe(true);
    expect(matches(titles.it, 'says "no"')).toBe(true);
    expect(matches(titles.it, "counts 7 more")).toBe(true);
    expect(matches(titles.it, "counts")).toBe(false);
    expect(missing("test/support.test.ts", "docs/support.md > has a test for nothing", "")).toContain("has no test");
    expect(missing("test/support.test.ts", "another page > names tests that there are", "")).toContain("has no suite");
    expect(missing("test/no-such.test.ts", "a > b", "")).toContain("there is no file");
    expect(missing("test/support.test.ts", "docs/support.md > names tests that there are", "")).toBeUndefined();
  });

  it("refuses a row that is no feature", () => {
    expect(() => readTables("| one | two |")).toThrow("a row of 2 cells");
  });
});
