// SPDX-License-Identifier: Apache-2.0

/** Lines that the verifier adds at the end whatever it found. */
const statistics = /^(processed \d+ insns|verification time|stack depth|insns_?processed|mark_read)/;
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
  const lines = log.split("\n").map((line) => line.trimEnd());
  return reportReason(lines) ?? lastLineReason(lines);
}

function reportReason(lines: readonly string[]): string | undefined {
  const title = lines.findLastIndex((line) => line.startsWith("Verification failed:"));
  if (title === -1) return undefined;
  const summary = lines[title]?.slice("Verification failed:".length).trim() ?? "";
  const reason = sectionText(lines, title, "Reason:");
  const place = sectionText(lines, title, "At:").split("  ")[0] ?? "";
  return [summary, reason, place === "" ? "" : `at ${place}`].filter((part) => part !== "").join(": ");
}

/** The indented lines below a heading, in one line; the first only of `At:`, which goes on with source code. */
function sectionText(lines: readonly string[], from: number, heading: string): string {
  const start = lines.indexOf(heading, from);
  if (start === -1) return "";
  const text: string[] = [];
  for (const line of lines.slice(start + 1)) {
    if (!line.startsWith(" ")) break;
    text.push(line.trim());
    if (heading === "At:") break;
  }
  return text.join(" ");
}

function lastLineReason(lines: readonly string[]): string {
  const told = lines.filter((line) => line !== "" && !statistics.test(line));
  const last = told.at(-1);
  if (last === undefined) return "";
  const before = told.at(-2);
  return needsContext.test(last) && before !== undefined ? `${before.trim()}: ${last.trim()}` : last.trim();
}
