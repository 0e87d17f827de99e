// SPDX-License-Identifier: Apache-2.0
import type { SourceTree } from "./source-tree.ts";

/** A package.json, in the parts that checks read. */
export interface PackageJson {
  readonly name?: string;
  readonly version?: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly type?: string;
  readonly files?: readonly string[];
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** One package of the workspace. */
export interface WorkspacePackage {
  /** `packages/ebpf`. */
  readonly directory: string;
  /** The directory's name, by which floors.ts knows it: `ebpf`. */
  readonly shortName: string;
  /** The npm name: `@skep/ebpf`. */
  readonly name: string;
  readonly manifest: PackageJson;
  /** Directories that its tsconfig.json references, such as `packages/rows`. */
  readonly references: readonly string[];
}

/** The packages of a tree, by their short names: `packages/*` and `bench`. */
export function packagesOf(tree: SourceTree): Map<string, WorkspacePackage> {
  const packages = new Map<string, WorkspacePackage>();
  for (const [path, text] of tree) {
    const directory = /^(packages\/[^/]+|bench)\/package\.json$/.exec(path)?.[1];
    if (directory === undefined) continue;
    const manifest = JSON.parse(text) as PackageJson;
    const shortName = directory.slice(directory.lastIndexOf("/") + 1);
    const name = manifest.name ?? shortName;
    packages.set(shortName, { directory, shortName, name, manifest, references: referencesOf(tree, directory) });
  }
  return packages;
}

/** Directories that the tsconfig.json of a directory references, relative to the root. */
export function referencesOf(tree: SourceTree, directory: string): string[] {
  const text = tree.get(directory === "" ? "tsconfig.json" : `${directory}/tsconfig.json`);
  if (text === undefined) return [];
  const { references = [] } = JSON.parse(text) as { references?: readonly { path: string }[] };
  return references.map(({ path }) => joinPath(directory, path));
}

/** Joins and normalises; a path that climbs above the root keeps its `..`. */
export function joinPath(directory: string, relative: string): string {
  const parts: string[] = [];
  for (const part of `${directory}/${relative}`.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}
