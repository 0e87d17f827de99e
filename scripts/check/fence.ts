// SPDX-License-Identifier: Apache-2.0
import { isBuiltin } from "node:module";
import type { Finding } from "./finding.ts";
import { floorOf, pages, pure, reserved, unshippedPackages } from "./floors.ts";
import { importsOf, type ModuleImport } from "./imports.ts";
import type { ParsedTree } from "./parse.ts";
import { joinPath, type WorkspacePackage } from "./workspace.ts";

/**
 * Checks what every file imports against the floors (floors.ts), and that packages reach each other only through
 * their exports, declared in package.json and tsconfig.json. Tests are free of floors and declarations, but not
 * of exports.
 */
export function checkFence(parsed: ParsedTree, packages: ReadonlyMap<string, WorkspacePackage>): Finding[] {
  const byName = new Map([...packages.values()].map((entry) => [entry.name, entry]));
  const findings: Finding[] = [];
  for (const [path, file] of parsed.files) {
    const owner = ownerOf(path, packages);
    const page = pages.find(({ directory }) => path.startsWith(directory));
    for (const found of importsOf(file)) {
      const message = page === undefined ? judgeImport(path, owner, found, byName) : judgePageImport(path, page, found);
      if (message !== undefined) findings.push({ path, line: found.line, message });
    }
  }
  return findings;
}

/** Whether a file is a test, or serves only tests and the tools of the repository. */
export function isTestFile(path: string): boolean {
  return /\.test(-kit)?\.tsx?$/.test(path) || /^(packages\/(testbed|[^/]+\/test-objects)|test|scripts)\//.test(path);
}

/** `@skep/vm/node` → `@skep/vm`, `zod/v4` → `zod`. */
export function packageNameOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function ownerOf(path: string, packages: ReadonlyMap<string, WorkspacePackage>): WorkspacePackage | undefined {
  return [...packages.values()].find(({ directory }) => path.startsWith(`${directory}/`));
}

/** Says what is wrong with an import, or undefined. */
function judgeImport(
  path: string,
  owner: WorkspacePackage | undefined,
  found: ModuleImport,
  byName: ReadonlyMap<string, WorkspacePackage>,
): string | undefined {
  const { specifier } = found;
  if (specifier.startsWith(".")) return judgeRelative(path, owner, specifier);
  const name = packageNameOf(specifier);
  const only = reserved[name];
  if (only !== undefined && owner?.shortName !== only) return `only packages/${only} may import ${name}`;
  const target = byName.get(name);
  if (target !== undefined && !isExported(target, specifier)) {
    return `"${specifier}" is not among the exports of ${name}: import what its index.ts exports`;
  }
  if (owner === undefined || isTestFile(path)) return undefined;
  if (isBuiltin(specifier)) return judgeBuiltin(path, owner, specifier);
  if (target !== undefined) return judgeFloors(owner, target) ?? judgeDeclared(owner, target);
  if (path.startsWith(`${owner.directory}/src/`) && !isDependency(owner, name)) {
    return `${name} is not among the dependencies of ${owner.directory}/package.json`;
  }
  return undefined;
}

/** Relative imports stay within src; those of tests, configuration and what is never shipped within the package. */
function judgeRelative(path: string, owner: WorkspacePackage | undefined, specifier: string): string | undefined {
  if (owner === undefined) return undefined;
  const source = `${owner.directory}/src/`;
  const shipped = path.startsWith(source) && !isTestFile(path) && !unshippedPackages.includes(owner.shortName);
  const home = shipped ? source : `${owner.directory}/`;
  const target = joinPath(path.slice(0, path.lastIndexOf("/")), specifier);
  return target.startsWith(home) ? undefined : `"${specifier}" leaves ${home}`;
}

function judgeBuiltin(path: string, owner: WorkspacePackage, specifier: string): string | undefined {
  const rule = pure[owner.shortName];
  if (rule === undefined || rule.except.some((folder) => path.startsWith(folder))) return undefined;
  if (!path.startsWith(`${owner.directory}/src/`)) return undefined;
  return `${owner.shortName} runs in a browser too: it may not import "${specifier}"`;
}

function judgeFloors(owner: WorkspacePackage, target: WorkspacePackage): string | undefined {
  if (owner === target) return `a package does not import itself by name: use a relative path`;
  if (unshippedPackages.includes(owner.shortName)) return undefined;
  if (unshippedPackages.includes(target.shortName)) return `only tests may import ${target.name}`;
  const from = floorOf(owner.shortName);
  const to = floorOf(target.shortName);
  if (from === undefined) return `"${owner.shortName}" has no floor: give it one in scripts/check/floors.ts`;
  if (to === undefined) return `"${target.shortName}" has no floor: give it one in scripts/check/floors.ts`;
  if (to < from) return undefined;
  const where = to === from ? "on the same floor as" : "on a floor above";
  return `${target.name} is ${where} ${owner.name}: imports go down only`;
}

function judgeDeclared(owner: WorkspacePackage, target: WorkspacePackage): string | undefined {
  if (!isDependency(owner, target.name)) {
    return `${target.name} is not among the dependencies of ${owner.directory}/package.json`;
  }
  if (!unshippedPackages.includes(owner.shortName) && !owner.references.includes(target.directory)) {
    return `${target.directory} is not among the references of ${owner.directory}/tsconfig.json`;
  }
  return undefined;
}

function judgePageImport(
  path: string,
  { directory, imports, types }: (typeof pages)[number],
  { specifier, typeOnly }: ModuleImport,
): string | undefined {
  const relative = specifier.startsWith(".");
  const target = relative ? joinPath(path.slice(0, path.lastIndexOf("/")), specifier) : specifier;
  if (relative && target.startsWith(directory)) return undefined;
  if (types.includes(target)) {
    return typeOnly ? undefined : `browser code may only "import type" from ${target}`;
  }
  if (relative) return `"${specifier}" leaves ${directory}`;
  // Tests of the page run in Node.
  if (isTestFile(path) || imports.includes(packageNameOf(specifier))) return undefined;
  return `browser code may not import "${specifier}"`;
}

function isExported(target: WorkspacePackage, specifier: string): boolean {
  const subpath = `.${specifier.slice(target.name.length)}`;
  return target.manifest.exports !== undefined && subpath in target.manifest.exports;
}

function isDependency({ manifest }: WorkspacePackage, name: string): boolean {
  return [manifest.dependencies, manifest.optionalDependencies, manifest.peerDependencies].some(
    (list) => list !== undefined && name in list,
  );
}
