// SPDX-License-Identifier: Apache-2.0

import type { LedgerSnapshot } from "@skep/rows";
import { printableLines } from "./output/safe-text.ts";

/** Says which rows never reached their sink, if any, and sets the exit code to 1 for them. Takes final ledgers. */
export function reportLosses(ledgers: readonly LedgerSnapshot[]): void {
  for (const { stream, sinks } of ledgers) {
    for (const { sink, dropped, error } of sinks) {
      if (dropped === 0) continue;
      process.exitCode = 1;
      const reason = error === undefined ? "" : `: ${error}`;
      process.stderr.write(
        `skep: ${dropped} ${dropped === 1 ? "row" : "rows"} of ${stream} lost on the way to ${printableLines(sink + reason)}\n`,
      );
    }
  }
}
