// SPDX-License-Identifier: Apache-2.0

import { ADDRESS_BASE } from "../memory/vm-memory.ts";
import { ByteWriter } from "../wasm/byte-writer.ts";
import { NO_RESULT, Op, ValueType } from "../wasm/op.ts";
import { FRAME_STRIDE } from "./function-writer.ts";
import type { SupportFunction } from "./support-functions.ts";
import type { TranslatedPacket } from "./translation-unit.ts";
import { MAX_CALL_DEPTH } from "./validate.ts";

const { I32, I64 } = ValueType;

/** Indices of the globals that a worker's modules share. */
interface Globals {
  readonly fuel: number;
  readonly stackTop: number;
  readonly stackLimit: number;
  readonly runState: number;
  readonly result: number;
}

interface Entry {
  /** Index of the program's first function. */
  readonly main: number;
  readonly globals: Globals;
  readonly fuel: number | undefined;
  readonly tailCalls: boolean;
  readonly wide: boolean;
}

/** Bytes of stack that a run keeps for itself: what is entered while it runs begins below. */
const STACK_OF_RUN = (MAX_CALL_DEPTH + 2) * FRAME_STRIDE;
const TAIL_CALLS_OFFSET = 20;

class Body {
  readonly out = new ByteWriter();

  op(...opcodes: number[]): this {
    this.out.append(opcodes);
    return this;
  }

  with(op: number, argument: number): this {
    this.out.byte(op).unsigned(argument);
    return this;
  }

  i64(value: number): this {
    this.out.byte(Op.I64_CONST).signed(value);
    return this;
  }

  end(): Uint8Array {
    return this.out.byte(Op.END).bytes.slice();
  }
}

/** Takes a frame off the stack into `frame`, ends the program when there is none, and fills the fuel up. */
function enter(body: Body, { globals, fuel }: Entry, frame: number, before: number): void {
  body.with(Op.GLOBAL_GET, globals.stackTop).with(Op.LOCAL_TEE, frame);
  body.i64(STACK_OF_RUN).op(Op.I64_SUB).with(Op.GLOBAL_SET, globals.stackTop);
  body.with(Op.GLOBAL_GET, globals.stackTop).with(Op.GLOBAL_GET, globals.stackLimit);
  body.op(Op.I64_LT_S, Op.IF, NO_RESULT, Op.UNREACHABLE, Op.END);
  if (fuel !== undefined) body.with(Op.GLOBAL_GET, globals.fuel).with(Op.LOCAL_SET, before);
}

function fill(body: Body, { globals, fuel, tailCalls, wide }: Entry): void {
  if (fuel !== undefined) body.i64(fuel).with(Op.GLOBAL_SET, globals.fuel);
  if (!tailCalls) return;
  body.with(Op.GLOBAL_GET, globals.runState).i64(ADDRESS_BASE).op(Op.I64_SUB);
  if (!wide) body.op(Op.I32_WRAP_I64);
  body.op(Op.I32_CONST, 0, Op.I32_STORE, 0, TAIL_CALLS_OFFSET);
}

function leave(body: Body, { globals, fuel }: Entry, frame: number, before: number): void {
  body.with(Op.LOCAL_GET, frame).with(Op.GLOBAL_SET, globals.stackTop);
  if (fuel !== undefined) body.with(Op.LOCAL_GET, before).with(Op.GLOBAL_SET, globals.fuel);
}

/** `run(r1, r2) -> r0`: addresses and the lower 32 bits; all of r0 is left in the global `result`. */
export function runFunction(entry: Entry): SupportFunction {
  const [r1, r2, frame, before] = [0, 1, 2, 3];
  const body = new Body();
  enter(body, entry, frame, before);
  fill(body, entry);
  body.with(Op.LOCAL_GET, r1).op(Op.I64_EXTEND_I32_U).with(Op.LOCAL_GET, r2).op(Op.I64_EXTEND_I32_U);
  body.i64(0).i64(0).i64(0).with(Op.LOCAL_GET, frame).with(Op.CALL, entry.main);
  body.with(Op.GLOBAL_SET, entry.globals.result);
  leave(body, entry, frame, before);
  body.with(Op.GLOBAL_GET, entry.globals.result).op(Op.I32_WRAP_I64);
  return { parameters: [I32, I32], results: [I32], locals: [2, I64], body: body.end() };
}

/**
 * `batch(context, list, results, count)`: runs the program on each packet of a list of 32-bit pairs, address and length, and
 * leaves its lower 32 bits of r0 in `results`; the pairs then tell where the packet is after it. All are addresses.
 */
export function batchFunction(
  entry: Entry & {
    readonly packet: TranslatedPacket;
    /** Index of what is called with the address and the length of each packet; undefined: its bounds are all. */
    readonly enterPacket: number | undefined;
    /** Whether the program can move the packet's bounds. */
    readonly movesPacket: boolean;
  },
): SupportFunction {
  const [context, list, results, count, data, frame, before] = [0, 1, 2, 3, 4, 5, 6];
  const { packet, wide } = entry;
  const body = new Body();
  const at = (local: number): Body => {
    body.with(Op.LOCAL_GET, local);
    return wide ? body.op(Op.I64_EXTEND_I32_U) : body;
  };
  const memory = (op: number, offset: number): Body => body.op(op, 0).op(...unsigned(offset));
  for (const local of [context, list, results]) {
    body
      .with(Op.LOCAL_GET, local)
      .op(Op.I32_CONST)
      .op(...signed(ADDRESS_BASE))
      .op(Op.I32_SUB)
      .with(Op.LOCAL_SET, local);
  }
  body.with(Op.LOCAL_GET, count).op(Op.I32_EQZ, Op.IF, NO_RESULT, Op.RETURN, Op.END);
  enter(body, entry, frame, before);
  body.op(Op.LOOP, NO_RESULT);
  fill(body, entry);
  // The context's bounds.
  at(list);
  memory(Op.I32_LOAD, 0).with(Op.LOCAL_SET, data);
  if (entry.enterPacket !== undefined) {
    body.with(Op.LOCAL_GET, data).op(Op.I64_EXTEND_I32_U);
    at(list);
    memory(Op.I64_LOAD32_U, 4)
      .i64(0)
      .i64(0)
      .i64(0)
      .with(Op.LOCAL_GET, frame)
      .with(Op.CALL, entry.enterPacket)
      .op(Op.DROP);
  } else {
    at(context).with(Op.LOCAL_GET, data);
    memory(Op.I32_STORE, packet.data);
    if (packet.dataMeta !== undefined) {
      at(context).with(Op.LOCAL_GET, data);
      memory(Op.I32_STORE, packet.dataMeta);
    }
    at(context).with(Op.LOCAL_GET, data);
    at(list);
    memory(Op.I32_LOAD, 4).op(Op.I32_ADD);
    memory(Op.I32_STORE, packet.dataEnd);
    if (packet.length !== undefined) {
      at(context);
      at(list);
      memory(Op.I32_LOAD, 4);
      memory(Op.I32_STORE, packet.length);
    }
  }
  at(results);
  body.with(Op.LOCAL_GET, context).op(Op.I64_EXTEND_I32_U).i64(ADDRESS_BASE).op(Op.I64_ADD);
  body.i64(0).i64(0).i64(0).i64(0).with(Op.LOCAL_GET, frame).with(Op.CALL, entry.main).op(Op.I32_WRAP_I64);
  memory(Op.I32_STORE, 0);
  if (entry.movesPacket) {
    // Where the packet is now.
    at(list);
    at(context);
    memory(Op.I32_LOAD, packet.data).with(Op.LOCAL_TEE, data);
    memory(Op.I32_STORE, 0);
    at(list);
    at(context);
    memory(Op.I32_LOAD, packet.dataEnd).with(Op.LOCAL_GET, data).op(Op.I32_SUB);
    memory(Op.I32_STORE, 4);
  }
  for (const [local, step] of [
    [list, 8],
    [results, 4],
  ] as const) {
    body.with(Op.LOCAL_GET, local).op(Op.I32_CONST, step, Op.I32_ADD).with(Op.LOCAL_SET, local);
  }
  body.with(Op.LOCAL_GET, count).op(Op.I32_CONST, 1, Op.I32_SUB).with(Op.LOCAL_TEE, count).with(Op.BR_IF, 0).op(Op.END);
  leave(body, entry, frame, before);
  return { parameters: [I32, I32, I32, I32], results: [], locals: [1, I32, 2, I64], body: body.end() };
}

/** A function of the runtime for JavaScript: five numbers of 32 bits, and the lower 32 bits of its result. */
export function runtimeExport(index: number, globals: Globals): SupportFunction {
  const body = new Body();
  for (let i = 0; i < 5; i++) body.with(Op.LOCAL_GET, i).op(Op.I64_EXTEND_I32_U);
  body.with(Op.GLOBAL_GET, globals.stackTop).with(Op.CALL, index).op(Op.I32_WRAP_I64);
  return { parameters: [I32, I32, I32, I32, I32], results: [I32], locals: [], body: body.end() };
}

const unsigned = (value: number): number[] => [...new ByteWriter().unsigned(value).bytes];
const signed = (value: number): number[] => [...new ByteWriter().signed(value).bytes];
