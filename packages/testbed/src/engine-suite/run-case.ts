// SPDX-License-Identifier: Apache-2.0

import { NotSupportedError } from "@skep/ebpf";
import { SuiteFailure } from "./assert.ts";
import { CaseContext, type CaseSources } from "./case-context.ts";
import type { EngineCase, Need } from "./engine-case.ts";

/**
 * Runs a case. Returns undefined when the engine does what it must, and a reason when it does not because it lacks something:
 * in its own words, a NotSupportedError, or the one that `lacks` has for what the case needs. A case is tried all the same, so
 * that a lack that is gone shows. Throws for everything else. Closes the engine.
 */
export async function runCase(
  suiteCase: EngineCase,
  sources: CaseSources,
  lacks: ReadonlyMap<Need, string> = new Map(),
): Promise<string | undefined> {
  try {
    using context = new CaseContext(sources);
    await suiteCase.run(context);
    return undefined;
  } catch (error) {
    const lacking = suiteCase.needs?.find((need) => lacks.has(need));
    if (lacking !== undefined) return lacks.get(lacking);
    if (error instanceof NotSupportedError) return error.message;
    // A failed close comes after what failed in the case, and hides it.
    if (error instanceof SuppressedError && error.suppressed instanceof SuiteFailure) throw error.suppressed;
    throw error;
  }
}
