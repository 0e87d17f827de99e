// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Texts of the repository's source files by path, with `/` and relative to the root. What every check reads. */
export type SourceTree = ReadonlyMap<string, string>;

const skippedDirectories = new Set(["node_modules", "dist", "coverage", ".git", "fixtures", "LICENSES"]);
const sourceName = /\.(ts|tsx|mts|js|mjs|c|h|sh)$|(^|\/)(package|tsconfig[^/]*)\.json$/;
const extensionless = /^[^.]+$/;

/** Reads the tree below `root`: sources by their names, and scripts without extension by their `#!`. */
export function readSourceTree(root: string): SourceTree {
  const files = new Map<string, string>();
  const walk = (directory: string) => {
    for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
      const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!skippedDirectories.has(entry.name)) walk(path);
      } else if (entry.isFile() && sourceName.test(path)) {
        files.set(path, readFileSync(join(root, path), "utf8"));
      } else if (entry.isFile() && extensionless.test(entry.name)) {
        const text = readFileSync(join(root, path), "utf8");
        if (text.startsWith("#!")) files.set(path, text);
      }
    }
  };
  walk("");
  return files;
}

/** Whether a path holds TypeScript that is parsed. */
export function isTypeScript(path: string): boolean {
  return /\.tsx?$/.test(path);
}
