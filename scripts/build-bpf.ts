// SPDX-License-Identifier: Apache-2.0

// npm run bpf: compiles every BPF source and writes the object beside it, and its module where there is one.
// npm run bpf -- --check: compares only; npm run check does the same.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bpfSources, checkBpfObjects, compileBpf, forEachParallel, moduleText } from "./check/bpf-objects.ts";
import { type Finding, formatFinding } from "./check/finding.ts";

const root = join(import.meta.dirname, "..");
const findings: Finding[] = [];
if (process.argv.includes("--check")) {
  findings.push(...(await checkBpfObjects(root)));
} else {
  await forEachParallel(bpfSources(root), async (source) => {
    const compiled = await compileBpf(root, source);
    if ("findings" in compiled) {
      findings.push(...compiled.findings);
    } else {
      writeFileSync(join(root, source.object), compiled.bytes);
      if (source.module !== undefined) writeFileSync(join(root, source.module), moduleText(source, compiled.bytes));
      console.log(`${source.object}  ${compiled.bytes.length} bytes`);
    }
  });
}
for (const finding of findings) console.error(formatFinding(finding));
if (findings.length > 0) process.exitCode = 1;
