// SPDX-License-Identifier: Apache-2.0

import { type ControlFlow, inReversePostorder } from "./control-flow.ts";
import { dominators } from "./dominators.ts";

/** Times that the body of a small loop stands in a row. */
const COPIES = 4;
/** Blocks and slots of the largest loop that is repeated. */
const MOST_BLOCKS = 6;
const MOST_SLOTS = 32;

/**
 * Repeats the bodies of small innermost loops, so that only every fourth turn goes back and pays for its fuel: on a loop of a
 * few instructions the check would cost a quarter. Each copy keeps its own ways out. Loops with several entries stay as they
 * are.
 */
export function unrollLoops(flow: ControlFlow): ControlFlow {
  const loops = innermostLoops(flow);
  const total = loops.reduce((sum, body) => sum + body.length * (COPIES - 1), flow.count);
  if (total === flow.count) return flow;
  const grown = {
    count: total,
    starts: new Int32Array(total),
    ends: new Int32Array(total),
    next: new Int32Array(total),
    taken: new Int32Array(total),
    copies: new Uint8Array(total),
  };
  for (const part of ["starts", "ends", "next", "taken", "copies"] as const) grown[part].set(flow[part]);
  let free = flow.count;
  for (const body of loops) {
    const first = free;
    const place = new Map(body.map((block, i) => [block, i]));
    const header = body[0] as number;
    /** Where a copy's block goes instead of `target`. */
    const redirect = (target: number, copy: number): number => {
      const at = place.get(target);
      if (at === undefined) return target;
      // Back to the header is on to the next copy.
      const to = target === header ? (copy + 1) % COPIES : copy;
      return to === 0 ? target : first + (to - 1) * body.length + at;
    };
    for (let copy = COPIES - 1; copy >= 0; copy--) {
      for (const [i, block] of body.entries()) {
        const at = copy === 0 ? block : first + (copy - 1) * body.length + i;
        grown.starts[at] = flow.starts[block] as number;
        grown.ends[at] = flow.ends[block] as number;
        grown.next[at] = redirect(flow.next[block] as number, copy);
        grown.taken[at] = redirect(flow.taken[block] as number, copy);
        grown.copies[at] = copy;
      }
    }
    free += body.length * (COPIES - 1);
  }
  return inReversePostorder(grown);
}

/** The blocks of each small loop that has no other in it, its header first. */
function innermostLoops(flow: ControlFlow): number[][] {
  const { count, next, taken, starts, ends } = flow;
  const latches = new Map<number, number[]>();
  for (let block = 0; block < count; block++) {
    for (const target of new Set([next[block] as number, taken[block] as number])) {
      if (target === -1 || target > block) continue;
      latches.set(target, [...(latches.get(target) ?? []), block]);
    }
  }
  if (latches.size === 0) return [];
  const { dominates } = dominators(flow);
  const predecessors = Array.from({ length: count }, (): number[] => []);
  for (let block = 0; block < count; block++) {
    for (const target of [next[block] as number, taken[block] as number]) {
      if (target !== -1) predecessors[target]?.push(block);
    }
  }
  const found: number[][] = [];
  for (const [header, sources] of latches) {
    const body = new Set([header]);
    const waiting = [...sources];
    let small = sources.every((latch) => dominates(header, latch));
    while (small && waiting.length > 0) {
      const block = waiting.pop() as number;
      if (body.has(block)) continue;
      body.add(block);
      small = body.size <= MOST_BLOCKS && !latches.has(block);
      waiting.push(...(predecessors[block] ?? []));
    }
    const slots = [...body].reduce((sum, block) => sum + (ends[block] as number) - (starts[block] as number), 0);
    if (small && slots <= MOST_SLOTS) found.push([...body]);
  }
  return found;
}
