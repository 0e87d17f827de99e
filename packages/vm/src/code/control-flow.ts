// SPDX-License-Identifier: Apache-2.0

import type { Code } from "./code.ts";
import { Jump, Opcode } from "./opcode.ts";
import { jumpTarget } from "./validate.ts";

/**
 * The blocks of one function that can be reached, numbered in reverse postorder: an edge to a block of the same or a lower
 * number is a back edge.
 */
export interface ControlFlow {
  /** Blocks. */
  readonly count: number;
  /** First slot of each block. */
  readonly starts: Int32Array;
  /** The slot after each block's last. */
  readonly ends: Int32Array;
  /** Where each block goes on when no jump is taken; -1 when it does not. */
  readonly next: Int32Array;
  /** Where its jump leads; -1 when it has none. */
  readonly taken: Int32Array;
  /** Which copy of its loop's body a block is in, from 0 on: see `unrollLoops`. */
  readonly copies: Uint8Array;
}

/** Finds the blocks of the function at slots `start` to `end`. */
export function controlFlow(code: Code, start: number, end: number): ControlFlow {
  // 1. Where blocks begin.
  const leader = new Uint8Array(end - start + 1);
  leader[0] = 1;
  for (let slot = start; slot < end; slot++) {
    const opcode = code.opcodes[slot] as number;
    const target = jumpTarget(code, slot);
    if (target !== undefined) leader[target - start] = 1;
    if (target !== undefined || opcode === Opcode.EXIT) leader[slot + 1 - start] = 1;
    if (opcode === Opcode.LD_IMM64) slot++;
  }
  let total = 0;
  const blockAt = new Int32Array(end - start).fill(-1);
  for (let slot = start; slot < end; slot++) if (leader[slot - start]) blockAt[slot - start] = total++;
  const firsts = new Int32Array(total + 1);
  for (let slot = start, block = 0; slot < end; slot++) if (leader[slot - start]) firsts[block++] = slot;
  firsts[total] = end;

  // 2. Where they lead.
  const next = new Int32Array(total).fill(-1);
  const taken = new Int32Array(total).fill(-1);
  for (let block = 0; block < total; block++) {
    const last = lastSlot(code, firsts[block] as number, firsts[block + 1] as number);
    const opcode = code.opcodes[last] as number;
    const target = jumpTarget(code, last);
    if (target !== undefined) taken[block] = blockAt[target - start] as number;
    const always = opcode === Opcode.JA || opcode === Opcode.JA32 || opcode === Opcode.EXIT;
    if (!always) next[block] = block + 1;
    // A conditional jump to the next instruction is none.
    if (next[block] === taken[block] && (opcode & 0xf0) !== Jump.JCOND) taken[block] = -1;
  }
  const ends = firsts.subarray(1);
  return inReversePostorder({ count: total, starts: firsts, ends, next, taken, copies: new Uint8Array(total) });
}

function lastSlot(code: Code, start: number, end: number): number {
  return end - start >= 2 && code.opcodes[end - 2] === Opcode.LD_IMM64 ? end - 2 : end - 1;
}

/** Numbers the blocks that can be reached in reverse postorder, by an explicit stack: chains may be 100,000 long. */
export function inReversePostorder(blocks: ControlFlow): ControlFlow {
  const { next, taken, count: total } = blocks;
  const postorder = new Int32Array(total);
  let done = 0;
  const seen = new Uint8Array(total);
  const stack = new Int32Array(total);
  const step = new Uint8Array(total);
  let depth = 1;
  seen[0] = 1;
  while (depth > 0) {
    const block = stack[depth - 1] as number;
    const edge = step[block] as number;
    step[block] = edge + 1;
    if (edge === 2) {
      postorder[done++] = block;
      depth--;
      continue;
    }
    // The jump first, so that what follows in the code follows in the order.
    const target = (edge === 0 ? taken : next)[block] as number;
    if (target === -1 || seen[target]) continue;
    seen[target] = 1;
    stack[depth++] = target;
  }
  const number = new Int32Array(total).fill(-1);
  for (let i = 0; i < done; i++) number[postorder[i] as number] = done - 1 - i;
  const flow = {
    count: done,
    starts: new Int32Array(done),
    ends: new Int32Array(done),
    next: new Int32Array(done),
    taken: new Int32Array(done),
    copies: new Uint8Array(done),
  };
  for (let block = 0; block < total; block++) {
    const to = number[block] as number;
    if (to === -1) continue;
    flow.starts[to] = blocks.starts[block] as number;
    flow.ends[to] = blocks.ends[block] as number;
    flow.copies[to] = blocks.copies[block] as number;
    flow.next[to] = next[block] === -1 ? -1 : (number[next[block] as number] as number);
    flow.taken[to] = taken[block] === -1 ? -1 : (number[taken[block] as number] as number);
  }
  return flow;
}
