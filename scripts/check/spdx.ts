// SPDX-License-Identifier: Apache-2.0
import type { Finding } from "./finding.ts";
import type { SourceTree } from "./source-tree.ts";

const apache = "Apache-2.0";
/** The kernel gives most helpers to GPL-compatible programs only; the other half lets anybody reuse the source. */
const bpf = "GPL-2.0-only OR BSD-2-Clause";

/** How far down the line may stand: below `#!` and a remark for the tools. */
const headLines = 3;

/** Checks that every source file says its licence in its head. */
export function checkSpdx(tree: SourceTree): Finding[] {
  const findings: Finding[] = [];
  for (const [path, text] of tree) {
    // A generated module is under the licence of the program that it was generated for, beside it.
    if (path.endsWith(".json") || path.endsWith(".bpf.ts")) continue;
    const wanted = isBpfSource(path) ? bpf : apache;
    const head = text.split("\n", headLines);
    const line = head.findIndex((candidate) => candidate.includes("SPDX-License-Identifier:"));
    const found = /SPDX-License-Identifier:\s*(.*?)\s*(\*\/)?$/.exec(head[line] ?? "")?.[1];
    if (found === undefined) {
      findings.push({
        path,
        line: 1,
        message: `no "SPDX-License-Identifier: ${wanted}" in the first ${headLines} lines`,
      });
    } else if (found !== wanted) {
      findings.push({ path, line: line + 1, message: `the licence is "${found}", wanted "${wanted}"` });
    }
  }
  return findings;
}

/** BPF programs and the headers that they include. Other C is a test's or a benchmark's. */
function isBpfSource(path: string): boolean {
  return (
    path.endsWith(".bpf.c") ||
    path.endsWith(".bpf.h") ||
    /^packages\/[^/]+\/(include|bpf|collectors|test-objects)\/.*\.[ch]$/.test(path)
  );
}
