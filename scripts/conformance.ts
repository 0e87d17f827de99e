// SPDX-License-Identifier: Apache-2.0

// npm run conformance -- DIR [--engine vm|kernel] [--mode NAME] [--verbose]: runs the assembler cases (*.data) of a
// directory on the engine over WebAssembly, in each of its modes, and on the kernel, where root may load programs. Ends
// with `N passed, N failed`; the exit code is 1 when one failed.
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import type { CaseRunner } from "./conformance/case-runner.ts";
import { readCases, runCases } from "./conformance/run-cases.ts";

const MODES = ["memory64", "memory32", "regions", "no-fuel"] as const;

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { engine: { type: "string" }, mode: { type: "string" }, verbose: { type: "boolean", default: false } },
  });
  const { engine, mode, verbose } = values;
  const [directory, ...rest] = positionals;
  const known =
    [undefined, "vm", "kernel"].includes(engine) && (mode === undefined || MODES.some((each) => each === mode));
  if (directory === undefined || rest.length > 0 || !known) {
    console.error(
      `usage: npm run conformance -- DIR [--engine vm|kernel] [--mode ${MODES.join("|")}] [--verbose]; the kernel has no modes`,
    );
    return 2;
  }
  if (!existsSync(directory)) {
    console.error(`there is no directory ${directory}`);
    return 2;
  }
  const cases = readCases(directory);
  let passed = 0;
  let failed = 0;
  for await (const runner of runners(engine, mode)) {
    using current = runner;
    const report = runCases(cases, current);
    for (const { test, verdict } of report.verdicts) {
      if (verdict.kind === "failed" || verbose)
        console.log(`${current.name}: ${test} ${verdict.kind}: ${verdict.reason}`);
    }
    const others = report.notApplicable === 0 ? "" : `, ${report.notApplicable} not applicable`;
    console.log(`${report.name}: ${report.passed} passed, ${report.failed} failed${others}`);
    passed += report.passed;
    failed += report.failed;
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

async function* runners(engine: string | undefined, mode: string | undefined): AsyncGenerator<CaseRunner> {
  if (engine !== "kernel") {
    const { VmRunner, vmModes } = await import("./conformance/vm-runner.ts");
    for (const [name, options] of vmModes) if (mode === undefined || mode === name) yield new VmRunner(name, options);
  }
  if (engine === "vm" || (engine === undefined && mode !== undefined)) return;
  if (engine === undefined && process.getuid?.() !== 0) {
    console.log("kernel: not run, since this is not root");
    return;
  }
  const { KernelRunner } = await import("./conformance/kernel-runner.ts");
  yield new KernelRunner();
}

process.exitCode = await main();
