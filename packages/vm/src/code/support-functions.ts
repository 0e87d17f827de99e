// SPDX-License-Identifier: Apache-2.0

import { MAP_HEADER_SIZE } from "../map/map-header.ts";
import { ADDRESS_BASE, READ_ONLY } from "../memory/vm-memory.ts";
import { ByteWriter } from "../wasm/byte-writer.ts";
import { NO_RESULT, Op, ValueType } from "../wasm/op.ts";

/** A function of the module that no eBPF stands behind. */
export interface SupportFunction {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  /** Groups of locals: count and type by turns. */
  readonly locals: readonly number[];
  readonly body: Uint8Array;
}

/** Writes WebAssembly without a program around it. */
class Body {
  readonly #out = new ByteWriter();

  op(...opcodes: number[]): this {
    this.#out.append(opcodes);
    return this;
  }

  get(local: number): this {
    this.#out.byte(Op.LOCAL_GET).unsigned(local);
    return this;
  }

  set(local: number): this {
    this.#out.byte(Op.LOCAL_SET).unsigned(local);
    return this;
  }

  tee(local: number): this {
    this.#out.byte(Op.LOCAL_TEE).unsigned(local);
    return this;
  }

  i32(value: number): this {
    this.#out.byte(Op.I32_CONST).signed(value | 0);
    return this;
  }

  i64(value: number | bigint): this {
    this.#out.byte(Op.I64_CONST).signedBigint(BigInt(value));
    return this;
  }

  load(opcode: number, offset: number, memory = 0): this {
    if (memory === 0) this.#out.byte(opcode).byte(0).unsigned(offset);
    else this.#out.byte(opcode).byte(0x40).unsigned(memory).unsigned(offset);
    return this;
  }

  globalSet(global: number): this {
    this.#out.byte(Op.GLOBAL_SET).unsigned(global);
    return this;
  }

  trapIf(): this {
    return this.op(Op.IF, NO_RESULT, Op.UNREACHABLE, Op.END);
  }

  branch(op: number, depth: number): this {
    this.#out.byte(op).unsigned(depth);
    return this;
  }

  end(): Uint8Array {
    return this.#out.byte(Op.END).bytes.slice();
  }
}

const { I32, I64 } = ValueType;

/**
 * `(address) -> index`: ends the program unless all `size` bytes lie in an open region. An access of up to 8 bytes touches at
 * most two of the regions' bytes; that the first of two is open to its end is said by 8.
 */
export function regionCheck(options: {
  readonly memorySize: number;
  readonly wide: boolean;
  readonly size: number;
  readonly write: boolean;
  /** The global that is left with the address when there is a trap. */
  readonly faultAddress: number;
}): SupportFunction {
  const { memorySize, wide, size, write, faultAddress } = options;
  const address = 0;
  const state = 1;
  const end = 2;
  const body = new Body();
  const fault = (): Body =>
    body.get(address).i64(ADDRESS_BASE).op(Op.I64_ADD).globalSet(faultAddress).op(Op.UNREACHABLE);
  const faultIf = (): void => {
    body.op(Op.IF, NO_RESULT);
    fault().op(Op.END);
  };
  // Local 0 becomes the index.
  body.get(address).i64(ADDRESS_BASE).op(Op.I64_SUB).tee(address);
  body.i64(memorySize - size).op(Op.I64_GT_U);
  faultIf();
  const granule = (): Body => body.get(address).i64(3).op(Op.I64_SHR_U, Op.I32_WRAP_I64);
  granule().load(Op.I32_LOAD8_U, 0, 1).set(state);
  body.get(address).op(Op.I32_WRAP_I64).i32(7).op(Op.I32_AND).i32(size).op(Op.I32_ADD).set(end);
  const open = (): Body =>
    write
      ? body.get(state)
      : body
          .get(state)
          .i32(READ_ONLY - 1)
          .op(Op.I32_AND);
  const checkWritable = (): void => {
    if (!write) return;
    body.get(state).i32(READ_ONLY).op(Op.I32_GE_U);
    faultIf();
  };
  checkWritable();
  body.get(end);
  open().op(Op.I32_GT_U, Op.IF, NO_RESULT);
  if (size > 1) {
    // It may go on in the next 8 bytes, provided that it gets there.
    open().i32(8).op(Op.I32_NE);
    faultIf();
    granule().load(Op.I32_LOAD8_U, 1, 1).set(state);
    checkWritable();
    body.get(end).i32(8).op(Op.I32_SUB);
    open().op(Op.I32_GT_U);
    faultIf();
  } else fault();
  body.op(Op.END).get(address);
  if (!wide) body.op(Op.I32_WRAP_I64);
  return { parameters: [I64], results: [wide ? I64 : I32], locals: [2, I32], body: body.end() };
}

/** `(address, length, write) -> 1 or 0`: whether all bytes lie in open regions; without regions, in the memory. */
export function spanCheck(memorySize: number, regions: boolean): SupportFunction {
  const [address, length, write, state, end, last] = [0, 1, 2, 3, 4, 5];
  const body = new Body();
  const no = (): Body => body.op(Op.IF, NO_RESULT).i32(0).op(Op.RETURN, Op.END);
  // Of no bytes any address will do, null too.
  body.get(length).op(Op.I64_EQZ, Op.IF, NO_RESULT).i32(1).op(Op.RETURN, Op.END);
  body.get(address).i64(ADDRESS_BASE).op(Op.I64_SUB).tee(address).i64(memorySize).op(Op.I64_GT_U);
  no();
  body.get(length).i64(memorySize).get(address).op(Op.I64_SUB, Op.I64_GT_U);
  no();
  if (!regions) return { parameters: [I64, I64, I32], results: [I32], locals: [], body: body.i32(1).end() };
  body.get(address).get(length).op(Op.I64_ADD).i64(1).op(Op.I64_SUB).set(last);
  body.op(Op.LOOP, NO_RESULT);
  body.get(address).i64(3).op(Op.I64_SHR_U, Op.I32_WRAP_I64).load(Op.I32_LOAD8_U, 0, 1).set(state);
  body.get(write).get(state).i32(READ_ONLY).op(Op.I32_GE_U, Op.I32_AND);
  no();
  // Up to where in these 8 bytes it goes.
  body.get(last).op(Op.I32_WRAP_I64).i32(7).op(Op.I32_AND).i32(1).op(Op.I32_ADD).i32(8);
  body.get(address).i64(3).op(Op.I64_SHR_U).get(last).i64(3).op(Op.I64_SHR_U, Op.I64_EQ, Op.SELECT).set(end);
  body
    .get(end)
    .get(state)
    .i32(READ_ONLY - 1)
    .op(Op.I32_AND, Op.I32_GT_U);
  no();
  body.get(address).i64(-8).op(Op.I64_AND).i64(8).op(Op.I64_ADD).tee(address).get(last).op(Op.I64_LE_U);
  body.branch(Op.BR_IF, 0).op(Op.END).i32(1);
  return { parameters: [I64, I64, I32], results: [I32], locals: [2, I32, 1, I64], body: body.end() };
}

/** `(address)`: ends the program unless a map is there. The structs of maps lie side by side, those not in use all zeros. */
export function mapCheck(
  { first, end }: { readonly first: number; readonly end: number },
  wide: boolean,
): SupportFunction {
  const body = new Body();
  body
    .get(0)
    .i64(first)
    .op(Op.I64_SUB)
    .i64(end - first)
    .op(Op.I64_GE_U)
    .trapIf();
  body
    .get(0)
    .i64(first)
    .op(Op.I64_SUB)
    .i64(MAP_HEADER_SIZE - 1)
    .op(Op.I64_AND, Op.I64_EQZ, Op.I32_EQZ)
    .trapIf();
  body.get(0).i64(ADDRESS_BASE).op(Op.I64_SUB);
  if (!wide) body.op(Op.I32_WRAP_I64);
  body.load(Op.I32_LOAD, 0).op(Op.I32_EQZ).trapIf();
  return { parameters: [I64], results: [], locals: [], body: body.end() };
}

/** `(address, length, access)`: VmMemory.setRegion in WebAssembly. */
export function setRegion(): SupportFunction {
  const [address, length, access, at, rest] = [0, 1, 2, 3, 4];
  const body = new Body();
  // 0 closed, 8 | READ_ONLY for reading, 8 for writing.
  body.get(access).i32(1).op(Op.I32_EQ, Op.IF, I32).i32(READ_ONLY).op(Op.ELSE).i32(0).op(Op.END).set(rest);
  body.get(address).i64(ADDRESS_BASE).op(Op.I64_SUB).i64(3).op(Op.I64_SHR_U, Op.I32_WRAP_I64).set(at);
  body.get(at);
  body.get(access).op(Op.IF, I32).i32(8).get(rest).op(Op.I32_OR, Op.ELSE).i32(0).op(Op.END);
  body.get(length).i64(3).op(Op.I64_SHR_U, Op.I32_WRAP_I64).op(Op.MISC, 0x0b, 1);
  body.get(length).op(Op.I32_WRAP_I64).i32(7).op(Op.I32_AND, Op.IF, NO_RESULT);
  body.get(at).get(length).i64(3).op(Op.I64_SHR_U, Op.I32_WRAP_I64, Op.I32_ADD);
  body.get(access).op(Op.IF, I32).get(length).op(Op.I32_WRAP_I64).i32(7).op(Op.I32_AND).get(rest).op(Op.I32_OR);
  body.op(Op.ELSE).i32(0).op(Op.END).load(0x3a, 0, 1).op(Op.END);
  return { parameters: [I64, I64, I32], results: [], locals: [2, I32], body: body.end() };
}

/** `(a, b, length) -> 1 or 0`: whether two spans are the same, byte by byte. */
export function equalSpans(wide: boolean): SupportFunction {
  const [a, b, length] = [0, 1, 2];
  const body = new Body();
  const byte = (address: number): Body => {
    body.get(address).i64(ADDRESS_BASE).op(Op.I64_SUB);
    if (!wide) body.op(Op.I32_WRAP_I64);
    return body.load(Op.I32_LOAD8_U, 0);
  };
  body.op(Op.LOOP, NO_RESULT);
  byte(a);
  byte(b).op(Op.I32_NE, Op.IF, NO_RESULT).i32(0).op(Op.RETURN, Op.END);
  for (const address of [a, b]) body.get(address).i64(1).op(Op.I64_ADD).set(address);
  body.get(length).i64(1).op(Op.I64_SUB).tee(length).i64(0).op(Op.I64_NE).branch(Op.BR_IF, 0).op(Op.END).i32(1);
  return { parameters: [I64, I64, I64], results: [I32], locals: [], body: body.end() };
}

/** `(address, length) -> number`: the hash of a long key, byte by byte. */
export function hashSpan(wide: boolean, factor: bigint): SupportFunction {
  const [address, length, state] = [0, 1, 2];
  const body = new Body();
  body.get(length).set(state);
  body.op(Op.LOOP, NO_RESULT);
  body.get(address).i64(ADDRESS_BASE).op(Op.I64_SUB);
  if (!wide) body.op(Op.I32_WRAP_I64);
  body.load(Op.I64_LOAD8_U, 0).get(state).op(Op.I64_XOR).i64(factor).op(Op.I64_MUL).tee(state);
  body.get(state).i64(32).op(Op.I64_SHR_U, Op.I64_XOR).set(state);
  body.get(address).i64(1).op(Op.I64_ADD).set(address);
  body.get(length).i64(1).op(Op.I64_SUB).tee(length).i64(0).op(Op.I64_NE).branch(Op.BR_IF, 0).op(Op.END);
  body.get(state).i64(factor).op(Op.I64_MUL).i64(32).op(Op.I64_SHR_U, Op.I32_WRAP_I64);
  return { parameters: [I64, I64], results: [I32], locals: [1, I64], body: body.end() };
}
