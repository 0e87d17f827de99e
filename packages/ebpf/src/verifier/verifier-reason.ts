// SPDX-License-Identifier: Apache-2.0

import { isAside, lastLines } from "./verifier-log.ts";
import { readReport } from "./verifier-report.ts";

/** A last line that says little without the one before it. */
const needsContext = /^(\t|R\d|invalid bpf_context access)/;

/**
 * The verifier's reason in one line, from its log.
 *
 * Up to Linux 7.2 the reason is the last line before the statistics, and the instruction stands before it. From
 * 7.3 on there is a report: `Verification failed: ` and a title, then the sections `Reason:`, `At:`, `Causal path:`
 * and `Suggestion:`. Empty for an empty log.
 */
export function verifierReason(log: string): string {
  const lines = lastLines(log);
  return reportReason(lines) ?? lastLineReason(lines);
}

function reportReason(lines: readonly string[]): string | undefined {
  const start = lines.findLastIndex((line) => line.startsWith("Verification failed:"));
  if (start === -1) return undefined;
  const { title, reason, instruction } = readReport(lines.slice(start));
  return [title, reason, instruction === undefined ? "" : `at insn ${instruction}`]
    .filter((part) => part !== "")
    .join(": ");
}

function lastLineReason(lines: readonly string[]): string {
  const told = lines.filter((line) => !isAside(line));
  const last = told.at(-1);
  if (last === undefined) return "";
  const before = told.at(-2);
  return needsContext.test(last) && before !== undefined ? `${before.trim()}: ${last.trim()}` : last.trim();
}
