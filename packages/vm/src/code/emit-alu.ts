// SPDX-License-Identifier: Apache-2.0

import { Op, ValueType } from "../wasm/op.ts";
import type { Emit, Emitters } from "./emitters.ts";
import type { FunctionWriter } from "./function-writer.ts";
import { Alu, Class, FROM_REGISTER } from "./opcode.ts";

/** Operations that WebAssembly has as they are: 64 bits, 32 bits. Shifts take their amount modulo the width in both. */
const plain: readonly (readonly [operation: number, wide: number, narrow: number])[] = [
  [Alu.ADD, Op.I64_ADD, Op.I32_ADD],
  [Alu.SUB, Op.I64_SUB, Op.I32_SUB],
  [Alu.MUL, Op.I64_MUL, Op.I32_MUL],
  [Alu.OR, Op.I64_OR, Op.I32_OR],
  [Alu.AND, Op.I64_AND, Op.I32_AND],
  [Alu.XOR, Op.I64_XOR, Op.I32_XOR],
  [Alu.LSH, Op.I64_SHL, Op.I32_SHL],
  [Alu.RSH, Op.I64_SHR_U, Op.I32_SHR_U],
  [Alu.ARSH, Op.I64_SHR_S, Op.I32_SHR_S],
];

/** Puts the second operand on the stack, 64 bits. */
function operand64(writer: FunctionWriter, slot: number, fromRegister: boolean): void {
  if (fromRegister) writer.get(writer.code.sources[slot] as number);
  else writer.i64(writer.code.immediates[slot] as number);
}

/** The same, 32 bits. */
function operand32(writer: FunctionWriter, slot: number, fromRegister: boolean): void {
  if (fromRegister) writer.get32(writer.code.sources[slot] as number);
  else writer.i32(writer.code.immediates[slot] as number);
}

function plain64(op: number, fromRegister: boolean): Emit {
  return (writer, slot) => {
    const destination = writer.code.destinations[slot] as number;
    writer.get(destination);
    operand64(writer, slot, fromRegister);
    writer.op(op).set(destination);
  };
}

function plain32(op: number, fromRegister: boolean): Emit {
  return (writer, slot) => {
    const destination = writer.code.destinations[slot] as number;
    writer.get32(destination);
    operand32(writer, slot, fromRegister);
    writer.op(op).set32(destination);
  };
}

/** What division by 0 and division without a 64- or 32-bit result give (RFC 9669, section 4.1). */
interface Division {
  readonly unsigned64: number;
  readonly unsigned32: number;
  readonly signed64: number;
  readonly signed32: number;
  /** Whether the result is a remainder: of division by 0 the dividend, by -1 nothing. */
  readonly remainder: boolean;
}

const division: Division = {
  unsigned64: Op.I64_DIV_U,
  unsigned32: Op.I32_DIV_U,
  signed64: Op.I64_DIV_S,
  signed32: Op.I32_DIV_S,
  remainder: false,
};
const modulo: Division = {
  unsigned64: Op.I64_REM_U,
  unsigned32: Op.I32_REM_U,
  signed64: Op.I64_REM_S,
  signed32: Op.I32_REM_S,
  remainder: true,
};

function divide(how: Division, wide: boolean, fromRegister: boolean): Emit {
  return (writer, slot) => {
    const destination = writer.code.destinations[slot] as number;
    const signed = writer.code.offsets[slot] === 1;
    const [unsignedOp, signedOp] = wide ? [how.unsigned64, how.signed64] : [how.unsigned32, how.signed32];
    const dividend = (): FunctionWriter => (wide ? writer.get(destination) : writer.get32(destination));
    const divisor = (): void => (wide ? operand64 : operand32)(writer, slot, fromRegister);
    const number = (value: number): FunctionWriter => (wide ? writer.i64(value) : writer.i32(value));
    const byZero = (): FunctionWriter => (how.remainder ? dividend() : number(0));
    // WebAssembly refuses the smallest number by -1; its remainder it has.
    const byMinusOne = (): FunctionWriter => {
      number(0);
      return how.remainder ? writer : dividend().op(wide ? Op.I64_SUB : Op.I32_SUB);
    };
    const type = wide ? ValueType.I64 : ValueType.I32;
    if (fromRegister) {
      divisor();
      writer.op(wide ? Op.I64_EQZ : Op.I32_EQZ).if(type);
      byZero();
      writer.op(Op.ELSE);
      if (signed) {
        divisor();
        number(-1);
        writer.op(wide ? Op.I64_EQ : Op.I32_EQ).if(type);
        byMinusOne();
        writer.op(Op.ELSE);
      }
      dividend();
      divisor();
      writer.op(signed ? signedOp : unsignedOp);
      if (signed) writer.op(Op.END);
      writer.op(Op.END);
    } else if (writer.code.immediates[slot] === 0) byZero();
    else if (signed && writer.code.immediates[slot] === -1) byMinusOne();
    else {
      dividend();
      divisor();
      writer.op(signed ? signedOp : unsignedOp);
    }
    if (wide) writer.set(destination);
    else writer.set32(destination);
  };
}

function negate(wide: boolean): Emit {
  return (writer, slot) => {
    const destination = writer.code.destinations[slot] as number;
    if (wide) writer.i64(0).get(destination).op(Op.I64_SUB).set(destination);
    else writer.i32(0).get32(destination).op(Op.I32_SUB).set32(destination);
  };
}

const extend64: Readonly<Record<number, number>> = {
  8: Op.I64_EXTEND8_S,
  16: Op.I64_EXTEND16_S,
  32: Op.I64_EXTEND32_S,
};
const extend32: Readonly<Record<number, number>> = { 8: Op.I32_EXTEND8_S, 16: Op.I32_EXTEND16_S };

function move(wide: boolean, fromRegister: boolean): Emit {
  return (writer, slot) => {
    const destination = writer.code.destinations[slot] as number;
    const bits = writer.code.offsets[slot] as number;
    if (wide) {
      // `addr_space_cast` leaves addresses as they are: there is one memory.
      operand64(writer, slot, fromRegister);
      const extend = extend64[bits];
      if (extend !== undefined) writer.op(extend);
      writer.set(destination);
    } else {
      operand32(writer, slot, fromRegister);
      const extend = extend32[bits];
      if (extend !== undefined) writer.op(extend);
      writer.set32(destination);
    }
  };
}

/** `to little-endian`: cuts off what is beyond. */
const truncate: Emit = (writer, slot) => {
  const destination = writer.code.destinations[slot] as number;
  const bits = writer.code.immediates[slot] as number;
  if (bits === 64) return;
  writer
    .get(destination)
    .i64(bits === 16 ? 0xffff : 0xffff_ffff)
    .op(Op.I64_AND)
    .set(destination);
};

/** `to big-endian` and the unconditional swap: the machine is little-endian. */
const swap: Emit = (writer, slot) => {
  const destination = writer.code.destinations[slot] as number;
  const bits = writer.code.immediates[slot] as number;
  if (bits === 16) {
    writer.get32(destination).i32(8).op(Op.I32_SHL).i32(0xff00).op(Op.I32_AND);
    writer.get32(destination).i32(8).op(Op.I32_SHR_U).i32(0xff).op(Op.I32_AND);
    writer.op(Op.I32_OR).set32(destination);
  } else if (bits === 32) {
    writer.get32(destination).i32(8).op(Op.I32_ROTL).i32(0x00ff00ff).op(Op.I32_AND);
    writer.get32(destination).i32(8).op(Op.I32_ROTR).i32(0xff00ff00).op(Op.I32_AND);
    writer.op(Op.I32_OR).set32(destination);
  } else {
    swapParts(writer, destination, 0x00ff00ff00ff00ffn, 8);
    swapParts(writer, destination, 0x0000ffff0000ffffn, 16);
    writer.get(destination).i64(32).op(Op.I64_ROTL).set(destination);
  }
};

/** Swaps neighbouring parts of `bits` bits; `mask` has the lower one of each pair. */
function swapParts(writer: FunctionWriter, destination: number, mask: bigint, bits: number): void {
  writer.get(destination).i64Wide(mask).op(Op.I64_AND).i64(bits).op(Op.I64_SHL);
  writer.get(destination).i64(bits).op(Op.I64_SHR_U).i64Wide(mask).op(Op.I64_AND);
  writer.op(Op.I64_OR).set(destination);
}

/** Arithmetic of both widths (RFC 9669, section 4.1 and 4.2). */
export function aluEmitters(table: Emitters): void {
  for (const source of [0, FROM_REGISTER]) {
    const fromRegister = source !== 0;
    for (const [operation, wide, narrow] of plain) {
      table[Class.ALU64 | operation | source] = plain64(wide, fromRegister);
      table[Class.ALU | operation | source] = plain32(narrow, fromRegister);
    }
    for (const [operation, how] of [
      [Alu.DIV, division],
      [Alu.MOD, modulo],
    ] as const) {
      table[Class.ALU64 | operation | source] = divide(how, true, fromRegister);
      table[Class.ALU | operation | source] = divide(how, false, fromRegister);
    }
    table[Class.ALU64 | Alu.MOV | source] = move(true, fromRegister);
    table[Class.ALU | Alu.MOV | source] = move(false, fromRegister);
  }
  table[Class.ALU64 | Alu.NEG] = negate(true);
  table[Class.ALU | Alu.NEG] = negate(false);
  table[Class.ALU | Alu.END] = truncate;
  table[Class.ALU | Alu.END | FROM_REGISTER] = swap;
  table[Class.ALU64 | Alu.END] = swap;
}
