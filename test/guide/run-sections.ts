// SPDX-License-Identifier: Apache-2.0

// node run-sections.ts PROGRAM...: of its own, because the programs import the harness and would wait for it.
import { writeSync } from "node:fs";
import { taken } from "./harness.ts";

/** Runs programs one after the other, and tells of each on descriptor 3 what became of it. */
async function main(files: readonly string[]): Promise<void> {
  for (const file of files) {
    process.chdir(new URL(".", `file://${file}`).pathname);
    const start = performance.now();
    let error = "";
    try {
      await import(file);
    } catch (cause) {
      error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    }
    taken();
    writeSync(3, `${JSON.stringify({ file, error, milliseconds: Math.round(performance.now() - start) })}\n`);
  }
}

await main(process.argv.slice(2));
