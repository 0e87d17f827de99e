// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ControlFlow } from "./control-flow.ts";
import { dominators } from "./dominators.ts";

/** A graph whose blocks can all be reached: each but the first has an edge from one before it. */
const graphs = fc.integer({ min: 1, max: 40 }).chain((count) =>
  fc
    .tuple(
      fc.array(fc.nat(), { minLength: count, maxLength: count }),
      fc.array(fc.integer({ min: -1, max: count - 1 }), { minLength: count, maxLength: count }),
    )
    .map(([parents, extra]): ControlFlow => {
      const next = new Int32Array(count).fill(-1);
      const taken = new Int32Array(count).fill(-1);
      for (let block = 1; block < count; block++) {
        // The tree has two edges a block at most.
        let above = (parents[block] as number) % block;
        while (next[above] !== -1 && taken[above] !== -1) above = (above + 1) % block;
        (next[above] === -1 ? next : taken)[above] = block;
      }
      for (const [block, target] of extra.entries()) {
        if (next[block] === -1) next[block] = target;
        else if (taken[block] === -1) taken[block] = target;
      }
      const [starts, ends, copies] = [new Int32Array(count), new Int32Array(count), new Uint8Array(count)];
      return { count, starts, ends, next, taken, copies };
    }),
);

/** Blocks that can be reached without passing through one. */
function reachedWithout(flow: ControlFlow, removed: number): Set<number> {
  const seen = new Set<number>();
  const waiting = removed === 0 ? [] : [0];
  while (waiting.length > 0) {
    const block = waiting.pop() as number;
    if (seen.has(block)) continue;
    seen.add(block);
    for (const target of [flow.next[block] as number, flow.taken[block] as number]) {
      if (target !== -1 && target !== removed) waiting.push(target);
    }
  }
  return seen;
}

describe("dominators", () => {
  it("are the blocks without which another cannot be reached, the closest as parent", () => {
    fc.assert(
      fc.property(graphs, (flow) => {
        const { parent } = dominators(flow);
        const above = Array.from({ length: flow.count }, () => new Set<number>());
        for (let block = 0; block < flow.count; block++) {
          const reached = reachedWithout(flow, block);
          for (let other = 0; other < flow.count; other++) {
            if (other !== block && !reached.has(other)) above[other]?.add(block);
          }
        }
        for (let block = 1; block < flow.count; block++) {
          const closest = parent[block] as number;
          // All other dominators of a block dominate the closest.
          const expected = new Set([...(above[closest] ?? []), closest]);
          expect(above[block], `of ${block}`).toEqual(expected);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("are found in a chain of 100,000 blocks with a jump back from each", () => {
    const count = 100_000;
    const next = Int32Array.from({ length: count }, (_, i) => (i + 1 < count ? i + 1 : -1));
    const taken = Int32Array.from({ length: count }, (_, i) => Math.max(0, i - 1000));
    const empty = new Int32Array(count);
    const { parent, dominates } = dominators({
      count,
      starts: empty,
      ends: empty,
      next,
      taken,
      copies: new Uint8Array(count),
    });
    expect(parent[count - 1]).toBe(count - 2);
    expect(dominates(5, 99_999)).toBe(true);
    expect(dominates(99_999, 5)).toBe(false);
  });
});
