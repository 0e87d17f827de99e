// SPDX-License-Identifier: Apache-2.0

import { ADDRESS_BASE } from "../memory/vm-memory.ts";
import { NO_RESULT, Op } from "../wasm/op.ts";
import type { Emit, Emitters } from "./emitters.ts";
import { type FunctionWriter, Local } from "./function-writer.ts";
import { Opcode } from "./opcode.ts";
import type { Structure } from "./structure.ts";
import { STACK_SIZE } from "./validate.ts";

/** Where in a function's body the WebAssembly of each slot begins, for errors: pairs, ascending. */
export interface Positions {
  readonly offsets: Int32Array;
  readonly slots: Int32Array;
}

/**
 * Writes the body of a function: its blocks as nested blocks and loops of WebAssembly, or, when its loops have several
 * entries, as cases of one dispatch loop.
 */
export function writeFunction(writer: FunctionWriter, structure: Structure, addressTaken: boolean): Positions {
  prologue(writer, addressTaken);
  const body = new BodyWriter(writer, structure);
  if (structure.reducible) body.writeStructured();
  else body.writeDispatched();
  // All ways have returned.
  writer.op(Op.UNREACHABLE).op(Op.END);
  return body.positions();
}

/**
 * Writes a function of the runtime into another: its arguments are that one's r1 to r5, its result becomes that one's r0.
 */
export function writeInto(writer: FunctionWriter, into: FunctionWriter, structure: Structure): void {
  into.inlines = true;
  for (let register = 1; register <= 5; register++) {
    into.get(register);
    writer.set(register);
  }
  into.calleeFrame();
  writer.setLocal(Local.FRAME);
  prologue(writer, false);
  writer.op(Op.BLOCK).op(NO_RESULT);
  new BodyWriter(writer, structure).writeStructured();
  writer.op(Op.UNREACHABLE).op(Op.END);
}

function prologue(writer: FunctionWriter, addressTaken: boolean): void {
  if (addressTaken) {
    // Only calls through a register can recur.
    writer.getLocal(Local.FRAME).getGlobal(writer.module.globals.stackLimit).op(Op.I64_LT_S).trapIf();
  }
  writer
    .getLocal(Local.FRAME)
    .i64(ADDRESS_BASE + STACK_SIZE)
    .op(Op.I64_SUB);
  if (writer.module.options.addressBits === 32) writer.op(Op.I32_WRAP_I64);
  writer.setLocal(Local.BASE);
  writer.loadFuel();
}

/** Steps of the work that is left, with an argument each; a stack in place of recursion, for programs of any length. */
const Step = { TREE: 0, END: 1, BRANCH: 2 } as const;

class BodyWriter {
  readonly #writer: FunctionWriter;
  readonly #structure: Structure;
  readonly #emitters: Emitters;
  /** Nested blocks that are open. */
  #depth = 0;
  /** By block of the program: the depth at which the WebAssembly block that leads to it was opened. */
  readonly #opened: Int32Array;
  readonly #steps: number[] = [];
  readonly #offsets: number[] = [];
  readonly #slots: number[] = [];

  constructor(writer: FunctionWriter, structure: Structure) {
    this.#writer = writer;
    this.#structure = structure;
    this.#emitters = writer.module.options.emitters;
    this.#opened = new Int32Array(structure.flow.count);
  }

  positions(): Positions {
    return { offsets: Int32Array.from(this.#offsets), slots: Int32Array.from(this.#slots) };
  }

  writeStructured(): void {
    const steps = this.#steps;
    steps.push(0, Step.TREE);
    while (steps.length > 0) {
      const step = steps.pop();
      const argument = steps.pop() as number;
      if (step === Step.TREE) this.#tree(argument);
      else if (step === Step.END) this.#end();
      else this.#branch(steps.pop() as number, argument);
    }
  }

  /** A block and all that it dominates. */
  #tree(block: number): void {
    const { flow, loopHeader, firstMerge, nextMerge } = this.#structure;
    const writer = this.#writer;
    const steps = this.#steps;
    if (loopHeader[block]) {
      this.#open(Op.LOOP, block);
      steps.push(0, Step.END);
    }
    // The last of them outermost: each block ends where the next begins.
    for (let merge = firstMerge[block] as number; merge !== -1; merge = nextMerge[merge] as number) {
      this.#open(Op.BLOCK, merge);
      steps.push(merge, Step.TREE, 0, Step.END);
    }
    const last = this.#straight(block);
    const next = flow.next[block] as number;
    const taken = flow.taken[block] as number;
    if (next === -1 && taken === -1) {
      this.#return();
      return;
    }
    if (taken === -1 || next === -1) {
      this.#branch(block, taken === -1 ? next : taken);
      return;
    }
    this.#emitter(last)(writer, last);
    // The smaller one inside, so that what is nested stays shallow.
    if (this.#inline(taken) && (!this.#inline(next) || this.#weight(taken) > this.#weight(next))) {
      writer.op(Op.I32_EQZ).if(NO_RESULT);
      this.#depth++;
      steps.push(block, taken, Step.BRANCH, 0, Step.END, block, next, Step.BRANCH);
    } else {
      writer.if(NO_RESULT);
      this.#depth++;
      steps.push(block, next, Step.BRANCH, 0, Step.END, block, taken, Step.BRANCH);
    }
  }

  /** Whether a block is written where the only jump to it is. */
  #inline(block: number): boolean {
    return !this.#structure.merge[block] && !this.#structure.loopHeader[block];
  }

  #weight(block: number): number {
    return this.#structure.weight[block] as number;
  }

  /** All of a block but the jump at its end, whose slot it returns. */
  #straight(block: number): number {
    const { flow } = this.#structure;
    const writer = this.#writer;
    const { opcodes } = writer.code;
    const end = flow.ends[block] as number;
    writer.known.enter(block);
    let last = flow.starts[block] as number;
    for (let slot = last; slot < end; slot++) {
      const opcode = opcodes[slot] as number;
      last = slot;
      this.#offsets.push(writer.out.length);
      this.#slots.push(slot);
      const ends = slot === end - 1 && isJump(opcode);
      if (!ends) this.#emitter(slot)(writer, slot);
      writer.known.step(slot);
      if (opcode === Opcode.LD_IMM64) slot++;
    }
    return last;
  }

  #emitter(slot: number): Emit {
    const emit = this.#emitters[this.#writer.code.opcodes[slot] as number];
    // What was validated has an opcode that is known.
    if (emit === undefined) throw new Error(`slot ${slot} has an opcode without a translation`);
    return emit;
  }

  /** Goes from a block to another. */
  #branch(from: number, to: number): void {
    const { merge } = this.#structure;
    if (to <= from) this.#writer.spend(this.#cost(to, from));
    else if (!merge[to]) {
      this.#steps.push(to, Step.TREE);
      return;
    }
    this.#writer.out.byte(Op.BR).unsigned(this.#depth - (this.#opened[to] as number) - 1);
  }

  /** Instructions of a loop: those from its header to the jump back, of each turn that it stands for. */
  #cost(header: number, latch: number): number {
    const { flow } = this.#structure;
    const turns = 1 + (flow.copies[latch] as number);
    return turns * Math.max(1, (flow.ends[latch] as number) - (flow.starts[header] as number));
  }

  #return(): void {
    const writer = this.#writer;
    const { into } = writer;
    if (into === undefined) writer.storeFuel().get(0).op(Op.RETURN);
    else {
      writer.get(0);
      into.set(0);
      writer.out.byte(Op.BR).unsigned(this.#depth);
    }
  }

  #open(op: number, block: number): void {
    this.#writer.op(op).op(NO_RESULT);
    this.#opened[block] = this.#depth++;
  }

  #end(): void {
    this.#writer.op(Op.END);
    this.#depth--;
  }

  /** Each block a case; the label says which is next. */
  writeDispatched(): void {
    const { flow } = this.#structure;
    const writer = this.#writer;
    writer.i32(0).setLocal(Local.LABEL);
    writer.op(Op.LOOP).op(NO_RESULT);
    for (let block = 0; block < flow.count; block++) writer.op(Op.BLOCK).op(NO_RESULT);
    writer.getLocal(Local.LABEL).op(Op.BR_TABLE);
    writer.out.unsigned(flow.count - 1);
    for (let block = 0; block < flow.count; block++) writer.out.unsigned(block);
    for (let block = 0; block < flow.count; block++) {
      writer.op(Op.END);
      // Around a block are those of all that come after it, and the loop.
      const toLoop = flow.count - 1 - block;
      const last = this.#straight(block);
      const next = flow.next[block] as number;
      const taken = flow.taken[block] as number;
      if (next === -1 && taken === -1) {
        this.#return();
        continue;
      }
      if (next !== -1 && taken !== -1) {
        this.#emitter(last)(writer, last);
        writer.if(NO_RESULT);
        this.#dispatch(block, taken, toLoop + 1);
        writer.op(Op.END);
        this.#dispatch(block, next, toLoop);
      } else this.#dispatch(block, taken === -1 ? next : taken, toLoop);
    }
    writer.op(Op.END);
  }

  #dispatch(from: number, to: number, toLoop: number): void {
    if (to <= from) this.#writer.spend(this.#cost(to, from));
    this.#writer.i32(to).setLocal(Local.LABEL);
    this.#writer.out.byte(Op.BR).unsigned(toLoop);
  }
}

function isJump(opcode: number): boolean {
  const kind = opcode & 7;
  return (kind === 5 || kind === 6) && opcode !== Opcode.CALL && opcode !== Opcode.CALLX;
}
