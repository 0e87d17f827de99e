// SPDX-License-Identifier: Apache-2.0

import type { ControlFlow } from "./control-flow.ts";
import { dominators } from "./dominators.ts";
import { increase } from "./increase.ts";

/** What the writing of a function as nested blocks needs to know of its control flow. */
export interface Structure {
  readonly flow: ControlFlow;
  /** Whether loops have one entry each. When not, nothing else here holds, and the function needs a dispatch loop. */
  readonly reducible: boolean;
  /** Blocks that a back edge leads to. */
  readonly loopHeader: Uint8Array;
  /** Blocks with more than one edge into them that is no back edge. */
  readonly merge: Uint8Array;
  /** Blocks of each block's dominator tree, itself included. */
  readonly weight: Int32Array;
  /** Merge blocks that a block immediately dominates, in descending order: `firstMerge[block]`, then `nextMerge[merge]`; -1 ends. */
  readonly firstMerge: Int32Array;
  readonly nextMerge: Int32Array;
}

/** Prepares a function for structured writing (Ramsey, Beyond Relooper, ICFP 2022). */
export function structureOf(flow: ControlFlow): Structure {
  const { count, next, taken } = flow;
  const { parent, dominates } = dominators(flow);
  const loopHeader = new Uint8Array(count);
  const forward = new Int32Array(count);
  let reducible = true;
  for (let block = 0; block < count; block++) {
    for (const target of [next[block] as number, taken[block] as number]) {
      if (target === -1) continue;
      if (target > block) {
        increase(forward, target, 1);
        continue;
      }
      loopHeader[target] = 1;
      if (!dominates(target, block)) reducible = false;
    }
  }
  const merge = new Uint8Array(count);
  const weight = new Int32Array(count).fill(1);
  const firstMerge = new Int32Array(count).fill(-1);
  const nextMerge = new Int32Array(count).fill(-1);
  for (let block = count - 1; block > 0; block--) {
    increase(weight, parent[block] as number, weight[block] as number);
  }
  for (let block = 0; block < count; block++) {
    if ((forward[block] as number) < 2) continue;
    merge[block] = 1;
    const above = parent[block] as number;
    nextMerge[block] = firstMerge[above] as number;
    firstMerge[above] = block;
  }
  return { flow, reducible, loopHeader, merge, weight, firstMerge, nextMerge };
}
