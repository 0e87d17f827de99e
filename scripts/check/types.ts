// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { runCommand } from "./command.ts";
import type { Finding } from "./finding.ts";
import { pages } from "./floors.ts";
import type { SourceTree } from "./source-tree.ts";

/** Compiles the packages (incrementally, into dist), then the tests and the browser code without output. */
export async function checkTypes(root: string, tree: SourceTree): Promise<Finding[]> {
  const projects = ["tsconfig.test.json", ...pages.map(({ directory }) => `${directory}tsconfig.json`)];
  const commands = [
    ["-b", "--pretty", "false"],
    ...projects.filter((path) => tree.has(path)).map((path) => ["-p", path, "--noEmit", "--pretty", "false"]),
  ];
  const findings = new Map<string, Finding>();
  for (const args of commands) {
    const { code, stdout, stderr } = await runCommand(join(root, "node_modules/.bin/tsc"), args, root);
    const found = parseTypeErrors(stdout);
    if (code !== 0 && found.length === 0) throw new Error(`tsc ${args.join(" ")} failed: ${stdout}${stderr}`);
    // Projects share sources, so one error may come several times.
    for (const finding of found) findings.set(JSON.stringify(finding), finding);
  }
  return [...findings.values()];
}

/** Reads what `tsc --pretty false` prints; indented lines belong to the error above them. */
export function parseTypeErrors(output: string): Finding[] {
  const findings: Finding[] = [];
  for (const text of output.split("\n")) {
    const located = /^(.+?)\((\d+),\d+\): error (TS\d+: .*)$/.exec(text);
    const [, path, line, message] = located ?? [];
    if (path !== undefined && message !== undefined) {
      findings.push({ path, line: Number(line), message });
      continue;
    }
    const general = /^error (TS\d+: .*)$/.exec(text)?.[1];
    if (general !== undefined) {
      findings.push({ path: "tsconfig.json", message: general });
      continue;
    }
    const last = findings.at(-1);
    if (text.startsWith(" ") && last !== undefined) {
      findings[findings.length - 1] = { ...last, message: `${last.message}\n${text}` };
    }
  }
  return findings;
}
