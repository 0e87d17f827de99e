// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { runCommand } from "./command.ts";
import type { Finding } from "./finding.ts";

/** Runs biome: formatting, order of imports, and the rules of biome.json. */
export async function checkLint(root: string): Promise<Finding[]> {
  const biome = join(root, "node_modules/.bin/biome");
  const args = ["ci", "--reporter=github", "--max-diagnostics=none", "--error-on-warnings"];
  const { code, stdout, stderr } = await runCommand(biome, args, root);
  const findings = parseAnnotations(stdout, root);
  if (code !== 0 && findings.length === 0) throw new Error(`biome ci failed: ${stdout}${stderr}`);
  return findings;
}

/** Reads biome's annotations: `::error title=lint/x/y,file=a.ts,line=3,…::message`. */
export function parseAnnotations(output: string, root: string): Finding[] {
  return output.split("\n").flatMap((text) => {
    const [, title, file, line, message] =
      /^::(?:error|warning|notice) title=([^,]*),file=([^,]*),line=(\d+).*?::(.*)$/.exec(text) ?? [];
    if (file === undefined) return [];
    const path = file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file;
    const hint = title === "format" || title?.startsWith("assist/") ? " (npm run format)" : "";
    return [{ path, line: Number(line), message: `${decode(message ?? "")} [${title}]${hint}` }];
  });
}

function decode(message: string): string {
  return message.replaceAll("%0A", " ").replaceAll("%0D", "").replaceAll("%25", "%");
}
