// SPDX-License-Identifier: Apache-2.0
import type { Finding } from "./finding.ts";
import { importsOf } from "./imports.ts";
import type { ParsedTree } from "./parse.ts";
import { joinPath, type WorkspacePackage } from "./workspace.ts";

interface Edge {
  readonly to: string;
  readonly line: number;
}

/**
 * Finds files that import each other in a circle, within a package or through several. Type imports do not count:
 * they are gone when the program runs, and two types may well need each other.
 */
export function checkCycles(parsed: ParsedTree, packages: ReadonlyMap<string, WorkspacePackage>): Finding[] {
  const entries = new Map([...packages.values()].map(({ name, directory }) => [name, `${directory}/src/index.ts`]));
  const graph = new Map<string, Edge[]>();
  for (const [path, file] of parsed.files) {
    const edges: Edge[] = [];
    for (const { specifier, line, typeOnly } of importsOf(file)) {
      if (typeOnly) continue;
      const to = specifier.startsWith(".")
        ? joinPath(path.slice(0, path.lastIndexOf("/")), specifier)
        : entries.get(specifier);
      if (to !== undefined && parsed.files.has(to)) edges.push({ to, line });
    }
    graph.set(path, edges);
  }
  return findCycles(graph);
}

/** One finding for each import that closes a circle in a walk in depth. */
function findCycles(graph: ReadonlyMap<string, readonly Edge[]>): Finding[] {
  const findings: Finding[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const walk = (path: string): void => {
    trail.push(path);
    for (const { to, line } of graph.get(path) ?? []) {
      const start = trail.indexOf(to);
      if (start !== -1) {
        findings.push({ path, line, message: `import cycle: ${[...trail.slice(start), to].join(" → ")}` });
      } else if (!done.has(to)) {
        walk(to);
      }
    }
    trail.pop();
    done.add(path);
  };
  for (const path of graph.keys()) if (!done.has(path)) walk(path);
  return findings;
}
