// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { checkFence } from "./fence.ts";
import { formatFinding } from "./finding.ts";
import { parseTree } from "./parse.ts";
import { packagesOf } from "./workspace.ts";

interface FixturePackage {
  readonly dependencies?: readonly string[];
  /** Directories; the dependencies' when not given. */
  readonly references?: readonly string[];
  readonly exports?: readonly string[];
}

/** Messages for one file in a workspace of the given packages. */
function judge(path: string, text: string, packages: Readonly<Record<string, FixturePackage>> = {}): string[] {
  const tree = new Map([[path, text]]);
  for (const [name, { dependencies = [], references = dependencies, exports = ["."] }] of Object.entries(packages)) {
    const npm = (short: string) =>
      /^(ebpf|linux|kernel|vm|rows|workload|collector|proxy|web|testbed)$/.test(short) ? `@skep/${short}` : short;
    const manifest = {
      name: npm(name),
      exports: Object.fromEntries(exports.map((subpath) => [subpath, {}])),
      dependencies: Object.fromEntries(dependencies.map((dependency) => [npm(dependency), "1.0.0"])),
    };
    tree.set(`packages/${name}/package.json`, JSON.stringify(manifest));
    tree.set(
      `packages/${name}/tsconfig.json`,
      JSON.stringify({ references: references.map((reference) => ({ path: `../${reference}` })) }),
    );
  }
  using parsed = parseTree(tree);
  return checkFence(parsed, packagesOf(tree)).map(formatFinding);
}

const house = { ebpf: {}, linux: {}, kernel: { dependencies: ["ebpf", "linux"] } };

describe("floors", () => {
  it("lets a package import from floors below", () => {
    const text = `import { A } from "@skep/ebpf";\nexport { B } from "@skep/linux";\n`;
    expect(judge("packages/kernel/src/a.ts", text, house)).toEqual([]);
  });

  it("lets workload import rows, and not the other way round", () => {
    const packages = { rows: { dependencies: ["workload"] }, workload: { dependencies: ["rows"] } };
    expect(judge("packages/workload/src/a.ts", `import "@skep/rows";`, packages)).toEqual([]);
    expect(judge("packages/rows/src/a.ts", `import "@skep/workload";`, packages)).toEqual([
      "packages/rows/src/a.ts:1: @skep/workload is on a floor above @skep/rows: imports go down only",
    ]);
  });

  it.each([
    ["import declaration", `import { x } from "@skep/kernel";`],
    ["type import", `import type { x } from "@skep/kernel";`],
    ["side-effect import", `import "@skep/kernel";`],
    ["export from", `export { x } from "@skep/kernel";`],
    ["export star", `export * from "@skep/kernel";`],
    ["import type node", `export type X = import("@skep/kernel").X;`],
    ["typeof import", `export type X = typeof import("@skep/kernel");`],
    ["dynamic import", `await import("@skep/kernel");`],
    ["dynamic import of a template", "await import(`@skep/kernel`);"],
    ["require", `require("@skep/kernel");`],
    ["import equals", `import k = require("@skep/kernel");`],
  ])("refuses an upward %s", (_, text) => {
    expect(judge("packages/ebpf/src/a.ts", `\n${text}\n`, house)).toEqual([
      "packages/ebpf/src/a.ts:2: @skep/kernel is on a floor above @skep/ebpf: imports go down only",
    ]);
  });

  it("reads names, not strings and comments", () => {
    const text = `// import "@skep/kernel";\nexport const text = 'import "@skep/kernel"';\n`;
    expect(judge("packages/ebpf/src/a.ts", text, house)).toEqual([]);
  });

  it("refuses a service importing a service", () => {
    const packages = { collector: { dependencies: ["proxy"] }, proxy: {} };
    expect(judge("packages/collector/src/a.ts", `import "@skep/proxy";`, packages)).toEqual([
      "packages/collector/src/a.ts:1: @skep/proxy is on the same floor as @skep/collector: imports go down only",
    ]);
  });

  it("refuses a package that the table lacks", () => {
    const packages = { "@new": {}, ebpf: {} };
    expect(judge("packages/@new/src/a.ts", `import "@skep/ebpf";`, packages)[0]).toContain(`"@new" has no floor`);
  });

  it("lets only tests import testbed", () => {
    const packages = { testbed: {}, kernel: { dependencies: ["testbed"] } };
    const text = `import "@skep/testbed";`;
    expect(judge("packages/kernel/src/a.ts", text, packages)).toEqual([
      "packages/kernel/src/a.ts:1: only tests may import @skep/testbed",
    ]);
    expect(judge("packages/kernel/src/a.kernel.test.ts", text, packages)).toEqual([]);
  });
});

describe("package borders", () => {
  it.each(["packages/kernel/src/a.ts", "packages/kernel/src/a.test.ts", "test/a.test.ts", "packages/testbed/src/a.ts"])(
    "refuses a deep import in %s",
    (path) => {
      expect(judge(path, `import "@skep/ebpf/src/errors.ts";`, house)).toEqual([
        `${path}:1: "@skep/ebpf/src/errors.ts" is not among the exports of @skep/ebpf: import what its index.ts exports`,
      ]);
    },
  );

  it("accepts an exported subpath", () => {
    const packages = { vm: { exports: [".", "./node"] }, collector: { dependencies: ["vm"] } };
    expect(judge("packages/collector/src/a.ts", `import "@skep/vm/node";`, packages)).toEqual([]);
  });

  it("refuses a relative import that leaves src", () => {
    expect(judge("packages/kernel/src/deep/a.ts", `import "../../../ebpf/src/errors.ts";`, house)).toEqual([
      `packages/kernel/src/deep/a.ts:1: "../../../ebpf/src/errors.ts" leaves packages/kernel/src/`,
    ]);
    expect(judge("packages/kernel/src/deep/a.ts", `import "../b.ts";`, house)).toEqual([]);
  });

  it("refuses an import that package.json does not declare", () => {
    const packages = { ebpf: {}, kernel: { references: ["ebpf"] } };
    expect(judge("packages/kernel/src/a.ts", `import "@skep/ebpf";\nimport "zod";`, packages)).toEqual([
      "packages/kernel/src/a.ts:1: @skep/ebpf is not among the dependencies of packages/kernel/package.json",
      "packages/kernel/src/a.ts:2: zod is not among the dependencies of packages/kernel/package.json",
    ]);
  });

  it("refuses an import that tsconfig.json does not reference", () => {
    const packages = { ebpf: {}, kernel: { dependencies: ["ebpf"], references: [] } };
    expect(judge("packages/kernel/src/a.ts", `import "@skep/ebpf";`, packages)).toEqual([
      "packages/kernel/src/a.ts:1: packages/ebpf is not among the references of packages/kernel/tsconfig.json",
    ]);
  });
});

describe("what one package alone may import", () => {
  it("keeps koffi in linux", () => {
    const packages = { linux: { dependencies: ["koffi"] }, kernel: { dependencies: ["koffi"] } };
    expect(judge("packages/linux/src/a.ts", `import koffi from "koffi";`, packages)).toEqual([]);
    expect(judge("packages/kernel/src/a.ts", `import koffi from "koffi";`, packages)).toEqual([
      "packages/kernel/src/a.ts:1: only packages/linux may import koffi",
    ]);
  });

  it.each(["node:fs", "fs", "fs/promises"])("keeps %s out of ebpf", (specifier) => {
    expect(judge("packages/ebpf/src/a.ts", `import "${specifier}";`, house)).toEqual([
      `packages/ebpf/src/a.ts:1: ebpf runs in a browser too: it may not import "${specifier}"`,
    ]);
    expect(judge("packages/ebpf/src/a.test.ts", `import "${specifier}";`, house)).toEqual([]);
    expect(judge("packages/kernel/src/a.ts", `import "${specifier}";`, house)).toEqual([]);
  });

  it("keeps Node built-ins of vm in vm/node", () => {
    expect(judge("packages/vm/src/node/a.ts", `import "node:fs";`, { vm: {} })).toEqual([]);
    expect(judge("packages/vm/src/a.ts", `import "node:fs";`, { vm: {} })).toHaveLength(1);
  });
});

describe("the page", () => {
  const packages = { web: { dependencies: ["rows"] }, rows: {} };

  it("may import preact, uplot, its own files and types of rows and of the wire", () => {
    const text = `import { h } from "preact/hooks";\nimport "uplot/dist/uPlot.min.css";\nimport "./b.ts";\nimport type { Row } from "@skep/rows";\nimport type { W } from "../src/wire.ts";`;
    expect(judge("packages/web/page/a.tsx", text, packages)).toEqual([]);
  });

  it.each([
    [`import { x } from "@skep/rows";`, `browser code may only "import type" from @skep/rows`],
    [`import type { x } from "@skep/workload";`, `browser code may not import "@skep/workload"`],
    [`import { x } from "../src/wire.ts";`, `browser code may only "import type" from packages/web/src/wire.ts`],
    [`import "node:fs";`, `browser code may not import "node:fs"`],
    [`import "../src/server.ts";`, `"../src/server.ts" leaves packages/web/page/`],
  ])("refuses %s", (text, message) => {
    expect(judge("packages/web/page/a.tsx", text, packages)).toEqual([`packages/web/page/a.tsx:1: ${message}`]);
  });
});
