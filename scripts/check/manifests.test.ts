// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { formatFinding } from "./finding.ts";
import { checkManifests } from "./manifests.ts";

const ebpf = {
  name: "@skep/ebpf",
  version: "0.1.0",
  license: "Apache-2.0",
  type: "module",
  files: ["dist/**/*.js"],
  exports: { ".": { "skep-source": "./src/index.ts", default: "./dist/index.js" } },
};
const linux = { ...ebpf, name: "@skep/linux" };

function judge(changes: Readonly<Record<string, unknown>>, references: readonly string[] = []): string[] {
  const tree = new Map(
    Object.entries({
      "package.json": {},
      "tsconfig.json": { references: [{ path: "packages/ebpf" }, { path: "packages/linux" }] },
      "packages/ebpf/package.json": { ...ebpf, ...changes },
      "packages/ebpf/tsconfig.json": { references: references.map((path) => ({ path })) },
      "packages/linux/package.json": linux,
      "packages/linux/tsconfig.json": {},
    }).map(([path, value]) => [path, JSON.stringify(value)]),
  );
  return checkManifests(tree).map(formatFinding);
}

it("accepts a package as it should be", () => {
  expect(judge({ dependencies: { "@skep/linux": "0.1.0" } }, ["../linux"])).toEqual([]);
});

it.each([
  [{ dependencies: { zod: "^4.0.0" } }, `zod: "^4.0.0" is not an exact version`],
  [{ devDependencies: { zod: "*" } }, `zod: "*" is not an exact version`],
  [{ dependencies: { "@skep/linux": "0.2.0" } }, "@skep/linux: 0.2.0, but this tree holds 0.1.0"],
  [{ license: "MIT" }, `license is "MIT", wanted "Apache-2.0"`],
  [{ files: [] }, "files is missing: npm would pack everything"],
  [{ files: ["src"] }, `files has "src": sources are not shipped`],
  [{ name: "ebpf" }, `the name is "ebpf", wanted "@skep/ebpf"`],
  [
    { exports: { ".": { default: "./dist/index.js" } } },
    `exports ".": the first condition is "default", wanted "skep-source"`,
  ],
])("refuses %j", (changes, message) => {
  expect(
    judge(changes, "dependencies" in changes && "@skep/linux" in changes.dependencies ? ["../linux"] : []),
  ).toEqual([`packages/ebpf/package.json: ${message}`]);
});

it("refuses a dependency that is not referenced, and the reverse", () => {
  expect(judge({ dependencies: { "@skep/linux": "0.1.0" } })).toEqual([
    "packages/ebpf/tsconfig.json: no reference to packages/linux, which package.json depends on",
  ]);
  expect(judge({}, ["../linux"])).toEqual([
    "packages/ebpf/tsconfig.json: references packages/linux, which package.json does not depend on",
  ]);
});
