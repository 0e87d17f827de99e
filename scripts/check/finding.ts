// SPDX-License-Identifier: Apache-2.0

/** Something a check objects to. Paths are relative to the repository; lines count from 1. */
export interface Finding {
  readonly path: string;
  /** Undefined when the finding is about the file as a whole. */
  readonly line?: number;
  readonly message: string;
}

/** `path:line: message`, which editors and terminals turn into a link. */
export function formatFinding({ path, line, message }: Finding): string {
  return line === undefined ? `${path}: ${message}` : `${path}:${line}: ${message}`;
}

/** Line, from 1, of an offset in a text. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
