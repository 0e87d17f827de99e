// SPDX-License-Identifier: Apache-2.0

import { Op, ValueType } from "../wasm/op.ts";
import type { Emit, Emitters } from "./emitters.ts";
import { Local } from "./function-writer.ts";
import { Class, FROM_REGISTER, Jump } from "./opcode.ts";

/** Times that the `may_goto`s of a function let a loop go on (`BPF_MAX_LOOPS`). */
const MAX_LOOPS = 8 * 1024 * 1024;

const comparisons: readonly (readonly [operation: number, wide: number, narrow: number])[] = [
  [Jump.JEQ, Op.I64_EQ, Op.I32_EQ],
  [Jump.JNE, Op.I64_NE, Op.I32_NE],
  [Jump.JGT, Op.I64_GT_U, Op.I32_GT_U],
  [Jump.JGE, Op.I64_GE_U, Op.I32_GE_U],
  [Jump.JLT, Op.I64_LT_U, Op.I32_LT_U],
  [Jump.JLE, Op.I64_LE_U, Op.I32_LE_U],
  [Jump.JSGT, Op.I64_GT_S, Op.I32_GT_S],
  [Jump.JSGE, Op.I64_GE_S, Op.I32_GE_S],
  [Jump.JSLT, Op.I64_LT_S, Op.I32_LT_S],
  [Jump.JSLE, Op.I64_LE_S, Op.I32_LE_S],
];

function compare(op: number, wide: boolean, fromRegister: boolean): Emit {
  return (writer, slot) => {
    const destination = writer.code.destinations[slot] as number;
    if (wide) {
      writer.get(destination);
      if (fromRegister) writer.get(writer.code.sources[slot] as number);
      else writer.i64(writer.code.immediates[slot] as number);
    } else {
      writer.get32(destination);
      if (fromRegister) writer.get32(writer.code.sources[slot] as number);
      else writer.i32(writer.code.immediates[slot] as number);
    }
    writer.op(op);
  };
}

/** Whether the operands have a bit in common. */
function anyBit(wide: boolean, fromRegister: boolean): Emit {
  const both = compare(wide ? Op.I64_AND : Op.I32_AND, wide, fromRegister);
  return (writer, slot) => {
    both(writer, slot);
    if (wide) writer.i64(0).op(Op.I64_NE);
    else writer.i32(0).op(Op.I32_NE);
  };
}

/** Jumps once the loops of the function have gone on often enough (6.9). */
const mayGoto: Emit = (writer) => {
  writer.getLocal(Local.LOOPS).i32(MAX_LOOPS).op(Op.I32_GE_U);
  writer.if(ValueType.I32).i32(1).op(Op.ELSE);
  writer.getLocal(Local.LOOPS).i32(1).op(Op.I32_ADD).setLocal(Local.LOOPS).i32(0).op(Op.END);
};

/** Conditions of jumps (RFC 9669, section 4.3). */
export function jumpEmitters(table: Emitters): void {
  for (const source of [0, FROM_REGISTER]) {
    for (const [operation, wide, narrow] of comparisons) {
      table[Class.JMP | operation | source] = compare(wide, true, source !== 0);
      table[Class.JMP32 | operation | source] = compare(narrow, false, source !== 0);
    }
    table[Class.JMP | Jump.JSET | source] = anyBit(true, source !== 0);
    table[Class.JMP32 | Jump.JSET | source] = anyBit(false, source !== 0);
  }
  table[Class.JMP | Jump.JCOND] = mayGoto;
}
