// SPDX-License-Identifier: Apache-2.0
import type { SourceFile } from "typescript/unstable/ast";
import { createVirtualFileSystem } from "typescript/unstable/fs";
import { API } from "typescript/unstable/sync";
import { isTypeScript, type SourceTree } from "./source-tree.ts";

/** Syntax trees by path. Nodes are read from the compiler's own buffers: use them before the close. */
export interface ParsedTree extends Disposable {
  readonly files: ReadonlyMap<string, SourceFile>;
}

const virtualRoot = "/skep";

/**
 * Parses every TypeScript file of a tree in one pass of the TypeScript compiler (0.1 s for 3,000 lines, mostly its
 * start). The compiler sees only these texts: nothing is resolved, no library loaded, no type checked.
 */
export function parseTree(tree: SourceTree): ParsedTree {
  const paths = [...tree.keys()].filter(isTypeScript);
  const texts: Record<string, string> = {};
  for (const path of paths) texts[`${virtualRoot}/${path}`] = tree.get(path) ?? "";
  const files = Object.keys(texts);
  const config = `${virtualRoot}/tsconfig.json`;
  const compilerOptions = {
    noResolve: true,
    noLib: true,
    noEmit: true,
    types: [],
    target: "esnext",
    module: "nodenext",
    moduleDetection: "force",
    jsx: "preserve",
  };
  texts[config] = JSON.stringify({ compilerOptions, files });

  const api = new API({ cwd: virtualRoot, fs: createVirtualFileSystem(texts) });
  try {
    const parsed = new Map<string, SourceFile>();
    const program = api.updateSnapshot({ openProjects: [config] }).getProject(config)?.program;
    for (const path of paths) {
      const file = program?.getSourceFile(`${virtualRoot}/${path}`);
      if (file === undefined) throw new Error(`${path}: the TypeScript compiler gave no syntax tree`);
      parsed.set(path, file);
    }
    return { files: parsed, [Symbol.dispose]: () => api.close() };
  } catch (error) {
    api.close();
    throw error;
  }
}
