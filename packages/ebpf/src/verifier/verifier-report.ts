// SPDX-License-Identifier: Apache-2.0

/** The report at the end of a log of Linux 7.3 and newer: a title and four sections. */
export interface VerifierReport {
  /** Behind `Verification failed:`. */
  readonly title: string;
  /** `Reason:`, in one line. */
  readonly reason: string;
  /** The instruction that `At:` names (`insn 12`). */
  readonly instruction: number | undefined;
  /** That instruction's text, from the lines of context (`>>> 12 | (95) exit`). */
  readonly text: string | undefined;
  /** The lines of `Causal path:`. */
  readonly path: readonly string[];
  /** `Suggestion:`, in one line. */
  readonly suggestion: string;
}

/** Reads a report; `lines` begin with its title. Sections that are missing are empty. */
export function readReport(lines: readonly string[]): VerifierReport {
  const at = section(lines, "At:");
  const index = /\binsn (\d+)/.exec(at.join("\n"))?.[1];
  const text = at.flatMap((line) => /^>>> \d+ \| \([0-9a-f]{2}\) (.*)$/.exec(line)?.[1] ?? [])[0];
  return {
    title: (lines[0] ?? "").slice("Verification failed:".length).trim(),
    reason: section(lines, "Reason:").join(" "),
    instruction: index === undefined ? undefined : Number(index),
    text,
    path: section(lines, "Causal path:").filter((line) => line !== "no retained diagnostic events on this path"),
    suggestion: section(lines, "Suggestion:").join(" "),
  };
}

/** The indented lines below a heading. */
function section(lines: readonly string[], heading: string): string[] {
  const start = lines.indexOf(heading);
  if (start === -1) return [];
  const text: string[] = [];
  for (const line of lines.slice(start + 1)) {
    if (!line.startsWith(" ")) break;
    text.push(line.trim());
  }
  return text;
}
