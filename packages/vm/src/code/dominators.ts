// SPDX-License-Identifier: Apache-2.0

import type { ControlFlow } from "./control-flow.ts";
import { increase } from "./increase.ts";

/** The blocks that each block can only be reached through, as a tree. */
export interface Dominators {
  /** The closest of them; -1 for the first block. */
  readonly parent: Int32Array;
  /** Whether `above` is on every way to `below`. A block is on every way to itself. */
  dominates(above: number, below: number): boolean;
}

/**
 * Immediate dominators by semi-NCA (Georgiadis, Linear-Time Algorithms for Dominators and Related Problems, 2005, section
 * 2.3): in practice linear, where the iterative method takes seconds on a long chain of loops.
 */
export function dominators(flow: ControlFlow): Dominators {
  const { count } = flow;
  const { order, number, parent, predecessors, heads } = depthFirst(flow);
  // In what follows blocks go by their number in the depth-first order.
  const semi = Int32Array.from({ length: count }, (_, i) => i);
  const label = Int32Array.from(semi);
  const ancestor = new Int32Array(count).fill(-1);
  const path = new Int32Array(count);

  /** The block of least semidominator on the way from `v` up through what was linked. */
  const evaluate = (v: number): number => {
    let depth = 0;
    for (let at = v; ancestor[at] !== -1 && ancestor[ancestor[at] as number] !== -1; at = ancestor[at] as number) {
      path[depth++] = at;
    }
    while (depth > 0) {
      const at = path[--depth] as number;
      const above = ancestor[at] as number;
      if ((semi[label[above] as number] as number) < (semi[label[at] as number] as number)) {
        label[at] = label[above] as number;
      }
      ancestor[at] = ancestor[above] as number;
    }
    const above = ancestor[v] as number;
    if (above === -1) return v;
    return label[v] as number;
  };

  for (let w = count - 1; w > 0; w--) {
    const block = order[w] as number;
    for (let edge = heads[block] as number; edge !== -1; edge = predecessors.next[edge] as number) {
      const v = number[predecessors.from[edge] as number] as number;
      const u = evaluate(v);
      if ((semi[u] as number) < (semi[w] as number)) semi[w] = semi[u] as number;
    }
    label[w] = w;
    ancestor[w] = parent[w] as number;
  }
  const immediate = new Int32Array(count).fill(-1);
  for (let w = 1; w < count; w++) {
    let above = parent[w] as number;
    while (above > (semi[w] as number)) above = immediate[above] as number;
    immediate[w] = above;
  }
  const result = new Int32Array(count).fill(-1);
  for (let w = 1; w < count; w++) result[order[w] as number] = order[immediate[w] as number] as number;
  return { parent: result, dominates: ancestry(result) };
}

interface DepthFirst {
  /** Blocks in the order they were met, and the place of each in it. */
  readonly order: Int32Array;
  readonly number: Int32Array;
  /** By number: the block that each was met from. */
  readonly parent: Int32Array;
  /** Edges into each block as lists: `heads[block]` is the first, -1 ends. */
  readonly heads: Int32Array;
  readonly predecessors: { readonly from: Int32Array; readonly next: Int32Array };
}

function depthFirst({ count, next, taken }: ControlFlow): DepthFirst {
  const order = new Int32Array(count);
  const number = new Int32Array(count).fill(-1);
  const parent = new Int32Array(count).fill(-1);
  const heads = new Int32Array(count).fill(-1);
  const predecessors = { from: new Int32Array(2 * count), next: new Int32Array(2 * count) };
  let edges = 0;
  for (let block = 0; block < count; block++) {
    for (const target of [next[block] as number, taken[block] as number]) {
      if (target === -1) continue;
      predecessors.from[edges] = block;
      predecessors.next[edges] = heads[target] as number;
      heads[target] = edges++;
    }
  }
  // Each block may wait twice, once for each edge into it.
  const waiting = new Int32Array(2 * count + 1);
  const from = new Int32Array(2 * count + 1).fill(-1);
  let depth = 1;
  let met = 0;
  while (depth > 0) {
    const block = waiting[--depth] as number;
    const above = from[depth] as number;
    if (number[block] !== -1) continue;
    number[block] = met;
    order[met] = block;
    parent[met] = above;
    for (const target of [taken[block] as number, next[block] as number]) {
      if (target === -1 || number[target] !== -1) continue;
      waiting[depth] = target;
      from[depth++] = met;
    }
    met++;
  }
  return { order, number, parent, heads, predecessors };
}

/** Answers who is above whom in a tree, by the times at which a walk enters and leaves each. */
function ancestry(parent: Int32Array): (above: number, below: number) => boolean {
  const count = parent.length;
  const size = new Int32Array(count).fill(1);
  // Parents have lower numbers: reverse postorder.
  for (let block = count - 1; block > 0; block--) increase(size, parent[block] as number, size[block] as number);
  const enter = new Int32Array(count);
  const free = new Int32Array(count);
  free[0] = 1;
  for (let block = 1; block < count; block++) {
    const above = parent[block] as number;
    enter[block] = free[above] as number;
    increase(free, above, size[block] as number);
    free[block] = (enter[block] as number) + 1;
  }
  return (above, below) => {
    const at = enter[below] as number;
    const first = enter[above] as number;
    return at >= first && at < first + (size[above] as number);
  };
}
