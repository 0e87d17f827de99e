// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import type { Finding } from "./finding.ts";

const folder = "docs/reference";

/** Makes the API reference anew, elsewhere, and compares it with docs/reference. */
export async function checkReference(root: string): Promise<Finding[]> {
  const made = mkdtempSync(join(tmpdir(), "skep-reference-"));
  try {
    const workspace = join(root, "scripts/reference");
    const typedoc = join(workspace, "node_modules/.bin/typedoc");
    const { code, stdout, stderr } = await runCommand(typedoc, ["--out", made, "--treatWarningsAsErrors"], workspace);
    if (code !== 0) return [{ path: folder, line: 1, message: `typedoc: ${stdout}${stderr}` }];
    const [fresh, kept] = [pages(made), pages(join(root, folder))];
    return [...new Set([...fresh.keys(), ...kept.keys()])]
      .filter((name) => fresh.get(name) !== kept.get(name))
      .sort()
      .map((name) => ({ path: join(folder, name), line: 1, message: "not what the sources say (npm run docs)" }));
  } finally {
    rmSync(made, { recursive: true });
  }
}

function pages(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  return new Map(
    names.filter((name) => name.endsWith(".md")).map((name) => [name, readFileSync(join(directory, name), "utf8")]),
  );
}
