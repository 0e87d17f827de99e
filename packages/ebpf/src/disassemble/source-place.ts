// SPDX-License-Identifier: Apache-2.0

/** A line of C that instructions were made from. */
export interface SourceLine {
  /** As the compiler was given it; undefined where only the text is known. */
  readonly file: string | undefined;
  /** Counted from 1; undefined where only the text is known. */
  readonly line: number | undefined;
  /** Counted from 1; undefined where it is not known. */
  readonly column: number | undefined;
  /** Without the white space around it; empty when the compiler could not read the file. */
  readonly text: string;
}

/** Where a line is, `exec.bpf.c:12:3`, without the folders, as the verifier prints it; empty when nothing is known. */
export function sourcePlace({ file, line, column }: SourceLine): string {
  const parts = [file?.slice(file.lastIndexOf("/") + 1), line, column];
  return parts.filter((part) => part !== undefined && part !== "").join(":");
}
