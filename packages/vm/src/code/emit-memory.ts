// SPDX-License-Identifier: Apache-2.0

import { Atomic, Op } from "../wasm/op.ts";
import { keepNarrow } from "./emit-context.ts";
import type { Emit, Emitters } from "./emitters.ts";
import { AtomicOperation, Class, Mode, Opcode, Size, sizeOf } from "./opcode.ts";

const sizes = [Size.B, Size.H, Size.W, Size.DW] as const;
const loads = [Op.I64_LOAD8_U, Op.I64_LOAD16_U, Op.I64_LOAD32_U, Op.I64_LOAD];
const signedLoads = [Op.I64_LOAD8_S, Op.I64_LOAD16_S, Op.I64_LOAD32_S];
const stores = [Op.I64_STORE8, Op.I64_STORE16, Op.I64_STORE32, Op.I64_STORE];

function load(op: number, opcode: number): Emit {
  const size = sizeOf(opcode);
  return (writer, slot) => {
    const { sources, offsets, destinations } = writer.code;
    const offset = writer.index(sources[slot] as number, offsets[slot] as number, size, "read");
    writer.memory(op, offset).set(destinations[slot] as number);
  };
}

function store(op: number, opcode: number, fromRegister: boolean): Emit {
  const size = sizeOf(opcode);
  return (writer, slot) => {
    const { sources, offsets, destinations, immediates } = writer.code;
    const offset = writer.index(destinations[slot] as number, offsets[slot] as number, size, "write");
    if (fromRegister) writer.get(sources[slot] as number);
    else writer.i64(immediates[slot] as number);
    if (size === 4) keepNarrow(writer, slot, fromRegister);
    writer.memory(op, offset);
  };
}

/** Read-modify-write operations: those of 64 bits, and of 32 whose old value is zero-extended. */
const modifications: Readonly<Record<number, readonly [wide: number, narrow: number]>> = {
  [AtomicOperation.ADD]: [Atomic.I64_ADD, Atomic.I64_ADD32_U],
  [AtomicOperation.OR]: [Atomic.I64_OR, Atomic.I64_OR32_U],
  [AtomicOperation.AND]: [Atomic.I64_AND, Atomic.I64_AND32_U],
  [AtomicOperation.XOR]: [Atomic.I64_XOR, Atomic.I64_XOR32_U],
  [AtomicOperation.XCHG & ~AtomicOperation.FETCH]: [Atomic.I64_XCHG, Atomic.I64_XCHG32_U],
};
const atomicLoads: Readonly<Record<number, number>> = {
  1: Atomic.I64_LOAD8_U,
  2: Atomic.I64_LOAD16_U,
  4: Atomic.I64_LOAD32_U,
  8: Atomic.I64_LOAD,
};
const atomicStores: Readonly<Record<number, number>> = {
  1: Atomic.I64_STORE8,
  2: Atomic.I64_STORE16,
  4: Atomic.I64_STORE32,
  8: Atomic.I64_STORE,
};

const atomic: Emit = (writer, slot) => {
  const { opcodes, sources, offsets, destinations, immediates } = writer.code;
  const size = sizeOf(opcodes[slot] as number);
  const operation = immediates[slot] as number;
  const source = sources[slot] as number;
  const destination = destinations[slot] as number;
  if (operation === AtomicOperation.LOAD_ACQUIRE) {
    const offset = writer.index(source, offsets[slot] as number, size, "read");
    writer.atomic(atomicLoads[size] as number, size, offset).set(destination);
    return;
  }
  const offset = writer.index(destination, offsets[slot] as number, size, "write");
  if (operation === AtomicOperation.STORE_RELEASE) {
    writer.get(source).atomic(atomicStores[size] as number, size, offset);
    return;
  }
  if (operation === AtomicOperation.CMPXCHG) {
    // Of 32 bits WebAssembly would compare with all 64 of the register.
    writer.get(0);
    if (size === 4) writer.i64(0xffff_ffff).op(Op.I64_AND);
    writer
      .get(source)
      .atomic(size === 8 ? Atomic.I64_CMPXCHG : Atomic.I64_CMPXCHG32_U, size, offset)
      .set(0);
    return;
  }
  const [wide, narrow] = modifications[operation & ~AtomicOperation.FETCH] as readonly [number, number];
  writer.get(source).atomic(size === 8 ? wide : narrow, size, offset);
  if ((operation & AtomicOperation.FETCH) !== 0) writer.set(source);
  else writer.op(Op.DROP);
};

const loadImmediate: Emit = (writer, slot) => {
  writer.i64Wide(writer.module.wideValue(writer, slot)).set(writer.code.destinations[slot] as number);
};

/** Loads, stores and atomic operations (RFC 9669, section 5). */
export function memoryEmitters(table: Emitters): void {
  for (const [i, size] of sizes.entries()) {
    const opcode = Class.LDX | Mode.MEM | size;
    table[opcode] = load(loads[i] as number, opcode);
    const signed = signedLoads[i];
    if (signed !== undefined) table[Class.LDX | Mode.MEMSX | size] = load(signed, opcode);
    table[Class.ST | Mode.MEM | size] = store(stores[i] as number, opcode, false);
    table[Class.STX | Mode.MEM | size] = store(stores[i] as number, opcode, true);
    table[Class.STX | Mode.ATOMIC | size] = atomic;
  }
  table[Opcode.LD_IMM64] = loadImmediate;
}
