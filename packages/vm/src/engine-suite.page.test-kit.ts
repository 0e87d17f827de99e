// SPDX-License-Identifier: Apache-2.0

// What Chromium runs in engine-suite.e2e.test.ts: the packages as they are built, by their names.
import { objectFromBase64 } from "@skep/ebpf";
import { engineCases, runCase } from "@skep/testbed/engine-suite";
import { VmEngine, type VmEngineOptions } from "@skep/vm";

/** How a case ended: `why` it failed or was skipped. */
export interface PageOutcome {
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  readonly why: string;
}

/** Runs every case on engines with these options; `objects` are base64 by name. */
export type RunSuite = (
  objects: Readonly<Record<string, string>>,
  options: VmEngineOptions,
) => Promise<readonly PageOutcome[]>;

const runSuite: RunSuite = async (objects, options) => {
  const object = (name: string): Uint8Array => objectFromBase64(objects[name] ?? "");
  const outcomes: PageOutcome[] = [];
  for (const suiteCase of engineCases) {
    const { name } = suiteCase;
    try {
      const skipped = await runCase(suiteCase, { engine: new VmEngine(options), object });
      outcomes.push({ name, state: skipped === undefined ? "passed" : "skipped", why: skipped ?? "" });
    } catch (error) {
      outcomes.push({
        name,
        state: "failed",
        why: error instanceof Error ? (error.stack ?? error.message) : `${error}`,
      });
    }
  }
  return outcomes;
};

Object.assign(globalThis, { runSuite });
