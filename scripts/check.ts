// SPDX-License-Identifier: Apache-2.0

// npm run check: everything that must hold of the sources before a commit. `npm run check -- lint types` runs some.
import { join } from "node:path";
import { checkBpfObjects } from "./check/bpf-objects.ts";
import { checkCycles } from "./check/cycles.ts";
import { checkFence } from "./check/fence.ts";
import { type Finding, formatFinding } from "./check/finding.ts";
import { checkLint } from "./check/lint.ts";
import { checkManifests } from "./check/manifests.ts";
import { parseTree } from "./check/parse.ts";
import { checkReference } from "./check/reference.ts";
import { readSourceTree } from "./check/source-tree.ts";
import { checkSpdx } from "./check/spdx.ts";
import { checkTsdoc } from "./check/tsdoc.ts";
import { checkTypes } from "./check/types.ts";
import { packagesOf } from "./check/workspace.ts";

const root = join(import.meta.dirname, "..");
const tree = readSourceTree(root);
const packages = packagesOf(tree);
using parsed = parseTree(tree);

const checks: Readonly<Record<string, () => Finding[] | Promise<Finding[]>>> = {
  manifests: () => checkManifests(tree),
  spdx: () => checkSpdx(tree),
  fence: () => checkFence(parsed, packages),
  cycles: () => checkCycles(parsed, packages),
  tsdoc: () => checkTsdoc(parsed),
  lint: () => checkLint(root),
  types: () => checkTypes(root, tree),
  bpf: () => checkBpfObjects(root),
  reference: () => checkReference(root),
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(checks);
let total = 0;
for (const name of wanted) {
  const check = checks[name];
  if (check === undefined) throw new Error(`no check "${name}"; there are ${Object.keys(checks).join(", ")}`);
  const start = performance.now();
  const findings = await check();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const verdict = findings.length === 0 ? "ok" : `${findings.length} finding${findings.length === 1 ? "" : "s"}`;
  console.log(`${name.padEnd(10)} ${verdict.padEnd(14)} ${seconds} s`);
  for (const finding of findings) console.log(`  ${formatFinding(finding).replaceAll("\n", "\n    ")}`);
  total += findings.length;
}
if (total > 0) process.exitCode = 1;
