// SPDX-License-Identifier: Apache-2.0

import { MapWord } from "../map/map-header.ts";
import { ADDRESS_BASE } from "../memory/vm-memory.ts";
import type { MapConstants } from "../runtime/runtime-function.ts";
import { Misc, Op } from "../wasm/op.ts";
import { type FunctionWriter, Local } from "./function-writer.ts";

/** The first number of an intrinsic (`VM_INTRINSIC` in bpf/runtime.h). */
const FIRST = 0x10_0000;

/** `vm_call`: a function that has it spends fuel. */
export const CALL_INTRINSIC: number = FIRST + 37;

const constants: Readonly<Record<number, Exclude<keyof MapConstants, "place">>> = {
  1: "keySize",
  2: "valueSize",
  3: "stride",
  4: "flags",
  5: "maxEntries",
  6: "cpus",
};

interface PlaceField {
  readonly name: keyof NonNullable<MapConstants["place"]>;
  readonly word: number;
}

const fields: Readonly<Record<number, PlaceField>> = {
  7: { name: "mask", word: MapWord.MASK },
  8: { name: "buckets", word: MapWord.BUCKETS },
  9: { name: "elements", word: MapWord.ELEMENTS },
};

/** Bytes up to which copies and comparisons are unrolled. */
const UNROLLED = 128;

/** Writes what stands for a call of one of the functions of bpf/runtime.h. Throws Error for a number that is none of them. */
export function emitIntrinsic(writer: FunctionWriter, number: number): void {
  const which = number - FIRST;
  const constant = constants[which];
  if (constant !== undefined) {
    writer.i64(shape(writer)[constant]).set(0);
    return;
  }
  const field = fields[which];
  if (field !== undefined) {
    mapField(writer, field);
    return;
  }
  switch (which) {
    case 16:
      copy(writer, shape(writer).keySize);
      return;
    case 17:
      copy(writer, shape(writer).valueSize);
      return;
    case 18:
      difference(writer, shape(writer).keySize);
      return;
    case 19:
      hash(writer, shape(writer).keySize);
      return;
    case 32:
      pushIndex(writer, 1);
      pushIndex(writer, 2);
      pushLength(writer, 3);
      writer.op(Op.MISC).op(Misc.MEMORY_COPY).op(0).op(0);
      return;
    case 33:
      pushIndex(writer, 1);
      writer.get32(2);
      pushLength(writer, 3);
      writer.op(Op.MISC).op(Misc.MEMORY_FILL).op(0);
      return;
    case 34:
      writer.getGlobal(writer.module.globals.runState).set(0);
      return;
    case 35:
      writer.module.runField(writer).memory(Op.I32_LOAD, 0).set32(0);
      return;
    case 36:
      if (writer.module.options.regions) writer.get(1).get(2).get32(3).call(writer.module.setRegion());
      return;
    case 37:
      writer.storeFuel();
      for (let register = 2; register <= 5; register++) writer.get(register);
      writer.i64(0).calleeFrame().get(1).functionIndex();
      writer.module.callIndirect(writer.out, Op.CALL_INDIRECT);
      writer.set(0).loadFuel().spend(1);
      return;
    case 38:
      writer.get(1).get(2).get32(3).i32(2).op(Op.I32_EQ).call(writer.module.spanCheck()).set32(0);
      return;
    default:
      throw new Error(`${writer.runtime?.name}: there is no intrinsic ${which}`);
  }
}

/** A field of the struct of the map at r1. */
function mapField(writer: FunctionWriter, { name, word }: PlaceField): void {
  const place = shape(writer).place;
  if (place !== undefined) writer.i64(place[name]).set(0);
  else {
    pushIndex(writer, 1);
    writer.memory(Op.I64_LOAD32_U, 4 * word).set(0);
  }
}

function shape(writer: FunctionWriter): MapConstants {
  const shape = writer.runtime?.constants;
  if (shape === undefined) throw new Error(`${writer.runtime?.name} asks for a map's constants and belongs to none`);
  return shape;
}

/** The index in memory of the address in a register; an address of 32 bits is checked, where WebAssembly would cut it. */
function pushIndex(writer: FunctionWriter, register: number): void {
  writer.get(register).i64(ADDRESS_BASE).op(Op.I64_SUB);
  if (writer.module.options.addressBits === 64) return;
  writer.teeLocal(Local.T0).i64(0xffff_ffff).op(Op.I64_GT_U).trapIf();
  writer.getLocal(Local.T0).op(Op.I32_WRAP_I64);
}

function pushLength(writer: FunctionWriter, register: number): void {
  writer.get(register);
  if (writer.module.options.addressBits === 64) return;
  writer.i64(0xffff_ffff).op(Op.I64_GT_U).trapIf();
  writer.get32(register);
}

const parts = [
  { size: 8, load: Op.I64_LOAD, store: Op.I64_STORE },
  { size: 4, load: Op.I64_LOAD32_U, store: Op.I64_STORE32 },
  { size: 2, load: Op.I64_LOAD16_U, store: Op.I64_STORE16 },
  { size: 1, load: Op.I64_LOAD8_U, store: Op.I64_STORE8 },
] as const;

/** The pieces of so many bytes, largest first. */
function pieces(length: number): { at: number; size: number; load: number; store: number }[] {
  const found = [];
  for (let at = 0; at < length; ) {
    const part = parts.find(({ size }) => size <= length - at);
    if (part === undefined) break;
    found.push({ at, ...part });
    at += part.size;
  }
  return found;
}

/** Keeps the indices of r1 and r2 as numbers of 64 bits: where memory is 64 bits wide, they are used as they are. */
function keepIndex(writer: FunctionWriter, register: number, local: number): void {
  writer.get(register).i64(ADDRESS_BASE).op(Op.I64_SUB).teeLocal(local);
  if (writer.module.options.addressBits === 32) writer.i64(0xffff_ffff).op(Op.I64_GT_U).trapIf();
  else writer.op(Op.DROP);
}

function kept(writer: FunctionWriter, local: number): FunctionWriter {
  writer.getLocal(local);
  return writer.module.options.addressBits === 32 ? writer.op(Op.I32_WRAP_I64) : writer;
}

function copy(writer: FunctionWriter, length: number): void {
  if (length > UNROLLED) {
    pushIndex(writer, 1);
    pushIndex(writer, 2);
    if (writer.module.options.addressBits === 64) writer.i64(length);
    else writer.i32(length);
    writer.op(Op.MISC).op(Misc.MEMORY_COPY).op(0).op(0);
    return;
  }
  keepIndex(writer, 1, Local.T0);
  keepIndex(writer, 2, Local.T1);
  for (const { at, load, store } of pieces(length)) {
    kept(writer, Local.T0);
    kept(writer, Local.T1).memory(load, at).memory(store, at);
  }
}

/** 0 when the bytes at r1 and r2 are the same. */
function difference(writer: FunctionWriter, length: number): void {
  if (length > UNROLLED) {
    writer.get(1).get(2).i64(length).call(writer.module.equalSpans()).op(Op.I32_EQZ).set32(0);
    return;
  }
  keepIndex(writer, 1, Local.T0);
  keepIndex(writer, 2, Local.T1);
  for (const [i, { at, load }] of pieces(length).entries()) {
    kept(writer, Local.T0).memory(load, at);
    kept(writer, Local.T1).memory(load, at).op(Op.I64_XOR);
    if (i > 0) writer.op(Op.I64_OR);
  }
  writer.set(0);
}

/**
 * A number below 2^32 for the key at r1, by the engine's random odd factor: of keys up to 8 bytes the upper bits of the product
 * (Dietzfelbinger et al., A Reliable Randomized Algorithm for the Closest-Pair Problem, 1997), so that nobody outside can choose keys
 * that meet in one bucket; longer ones are folded 8 bytes at a time.
 */
function hash(writer: FunctionWriter, length: number): void {
  if (length > UNROLLED) {
    writer.get(1).i64(length).call(writer.module.hashSpan()).set32(0);
    return;
  }
  keepIndex(writer, 1, Local.T0);
  const parts = pieces(length);
  const factor = writer.module.options.hashFactor;
  for (const [i, { at, load }] of parts.entries()) {
    kept(writer, Local.T0).memory(load, at);
    if (i > 0) writer.op(Op.I64_XOR);
    writer.i64Wide(factor).op(Op.I64_MUL);
    if (i < parts.length - 1) writer.teeLocal(Local.T1).getLocal(Local.T1).i64(32).op(Op.I64_SHR_U).op(Op.I64_XOR);
  }
  if (length <= 4) {
    // All bits of the key have reached those that buckets go by.
    writer.i64(32).op(Op.I64_SHR_U).set(0);
    return;
  }
  // The uppermost bits are the best ones; buckets go by the lowest.
  writer.teeLocal(Local.T1).i64(32).op(Op.I64_SHR_U).getLocal(Local.T1).i64(48).op(Op.I64_SHR_U).op(Op.I64_XOR).set(0);
}
