// SPDX-License-Identifier: Apache-2.0

import { probeKernel, whyNotObserve } from "@skep/kernel";
import { type OutputFormat, printData } from "../output/format.ts";
import { print } from "../output/print.ts";
import { formatTable } from "../output/table.ts";

/**
 * `skep doctor`: what this kernel and this user can do, and what to do about the rest. The exit code is 0 when
 * `skep up` can observe, and 1 when it would play its recording.
 */
export async function doctor({ output }: { readonly output: OutputFormat }): Promise<void> {
  const report = probeKernel();
  const obstacle = whyNotObserve();
  process.exitCode = obstacle === undefined ? 0 : 1;
  if (output !== "table") {
    await printData({ ...report, canObserve: obstacle === undefined, ...obstacle }, output);
    return;
  }
  const rows = report.findings.map(({ name, state, detail }) => [state === "unknown" ? "?" : state, name, detail]);
  const remedies = report.findings.flatMap(({ name, state, remedy }) =>
    state === "yes" || remedy === undefined ? [] : [`  ${name}: ${remedy}`],
  );
  const verdict =
    obstacle === undefined
      ? ["skep can observe this machine"]
      : [
          `skep cannot observe this machine, and plays a recording. ${obstacle.why}`,
          ...obstacle.remedy.map((step) => `  - ${step}`),
        ];
  await print(
    [
      `Linux ${report.release || "(none)"} on ${report.architecture}\n`,
      formatTable(["", "FEATURE", "FOUND"], rows),
      ...(remedies.length === 0 ? [] : [`What would help:\n${remedies.join("\n")}\n`]),
      `${verdict.join("\n")}\n`,
    ].join("\n"),
  );
}
