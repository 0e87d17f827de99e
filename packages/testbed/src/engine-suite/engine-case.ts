// SPDX-License-Identifier: Apache-2.0

import type { CaseContext } from "./case-context.ts";

/**
 * What some engines, or some kernels, lack:
 *
 * | | |
 * |---|---|
 * | `lock` | locks in values |
 * | `lpm` | tries |
 * | `memory` | memory shared with programs, of maps that are no data sections |
 * | `references` | maps that hold maps |
 * | `reader` | records as they come, to one reader |
 * | `specs` | limits of what maps can be made |
 * | `verifier` | a look at the programs |
 * | `v4` | instructions of version 4 (Linux 6.6) |
 */
export type Need = "lock" | "lpm" | "memory" | "references" | "reader" | "specs" | "verifier" | "v4";

/** One thing that every engine must do, in a few lines. */
export interface EngineCase {
  /** A sentence about the engine, unlike all others. */
  readonly name: string;
  readonly needs?: readonly Need[];
  /** Throws when the engine does otherwise. What it opened through the context is closed for it. */
  run(context: CaseContext): void | Promise<void>;
}
