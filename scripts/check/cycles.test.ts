// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { checkCycles } from "./cycles.ts";
import { formatFinding } from "./finding.ts";
import { parseTree } from "./parse.ts";
import { packagesOf } from "./workspace.ts";

function judge(files: Readonly<Record<string, string>>): string[] {
  const tree = new Map(Object.entries(files));
  using parsed = parseTree(tree);
  return checkCycles(parsed, packagesOf(tree)).map(formatFinding);
}

it("finds a circle of files", () => {
  const files = {
    "packages/x/src/a.ts": `import "./b.ts";`,
    "packages/x/src/b.ts": `\nexport * from "./c.ts";`,
    "packages/x/src/c.ts": `import "./a.ts";`,
  };
  expect(judge(files)).toEqual([
    "packages/x/src/c.ts:1: import cycle: packages/x/src/a.ts → packages/x/src/b.ts → packages/x/src/c.ts → packages/x/src/a.ts",
  ]);
});

it("finds a circle through two packages", () => {
  const files = {
    "packages/x/package.json": `{"name":"@skep/x"}`,
    "packages/y/package.json": `{"name":"@skep/y"}`,
    "packages/x/src/index.ts": `import "@skep/y";`,
    "packages/y/src/index.ts": `import "@skep/x";`,
  };
  expect(judge(files)).toHaveLength(1);
});

it("accepts a diamond, and types that need each other", () => {
  const files = {
    "packages/x/src/a.ts": `import "./b.ts"; import "./c.ts";`,
    "packages/x/src/b.ts": `import "./d.ts";`,
    "packages/x/src/c.ts": `import "./d.ts"; import type { A } from "./a.ts";`,
    "packages/x/src/d.ts": `export const d = 1;`,
  };
  expect(judge(files)).toEqual([]);
});
