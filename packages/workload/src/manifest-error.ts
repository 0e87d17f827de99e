// SPDX-License-Identifier: Apache-2.0

import { SkepError } from "@skep/ebpf";

/** Problems beyond these stay out of an error's message, so that a hostile file cannot flood a terminal. */
const SHOWN = 50;

/** One thing that is wrong with a manifest. */
export interface ManifestProblem {
  /** The file as it was named, or `-` for standard input. */
  readonly file: string;
  /** Index of the document in the file, from 0; undefined when the file as a whole is refused. */
  readonly document: number | undefined;
  /** Line and column from 1, in UTF-16 code units; undefined when the file could not be read. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** Such as `spec.streams[0].mapp`; empty for the document itself. */
  readonly path: string;
  /** What is wrong, in one sentence without the place. */
  readonly message: string;
  /** What stands there: `the number 5`, `"mapp"`, `a list`. */
  readonly found?: string;
  /** What would be right there. */
  readonly wanted?: string;
  /** The nearest known word, when one is near. */
  readonly suggestion?: string;
}

/** Manifests were refused. Holds every problem of every file, in the order of the files. */
export class ManifestError extends SkepError {
  readonly problems: readonly ManifestProblem[];

  constructor(problems: readonly ManifestProblem[]) {
    const lines = problems.slice(0, SHOWN).map(formatProblem);
    if (problems.length > SHOWN) lines.push(`and ${problems.length - SHOWN} more`);
    super("ERR_MANIFEST", lines.join("\n"));
    this.problems = problems;
  }
}

/** One line for people: `edge.yaml:12:7: spec.streams[0].mapp: unknown key; did you mean "map"?`. */
export function formatProblem(problem: ManifestProblem): string {
  const place = problem.line === undefined ? "" : `:${problem.line}:${problem.column ?? 1}`;
  const path = problem.path === "" ? "" : `${problem.path}: `;
  return `${problem.file}${place}: ${path}${problem.message}`;
}
