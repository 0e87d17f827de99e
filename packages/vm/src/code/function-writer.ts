// SPDX-License-Identifier: Apache-2.0

import { ADDRESS_BASE, regionPages } from "../memory/vm-memory.ts";
import type { RuntimeFunction } from "../runtime/runtime-function.ts";
import { ByteWriter } from "../wasm/byte-writer.ts";
import { NO_RESULT, Op, ValueType } from "../wasm/op.ts";
import type { Code } from "./code.ts";
import { Known, type KnownValues } from "./known-values.ts";
import type { ModuleWriter } from "./module-writer.ts";
import { STACK_SIZE } from "./validate.ts";

/**
 * Locals of a translated function. Its parameters are r1 to r5 and r10; then come the other registers, the index in memory
 * of the frame's first byte, the fuel that is left, and room for what an instruction needs.
 */
export const Local = {
  FRAME: 5,
  BASE: 11,
  FUEL: 12,
  T0: 13,
  T1: 14,
  LABEL: 15,
  LOOPS: 16,
} as const;

/** The local of each register. */
const registerLocal = [6, 0, 1, 2, 3, 4, 7, 8, 9, 10, 5] as const;

/** Bytes from a frame to that of the function that it calls: the stack, and a gap that no pointer may lead into. */
export const FRAME_STRIDE: number = STACK_SIZE + 16;

/** Added to the index of a function in the table, so that its address leads to no memory. */
export const FUNCTION_ADDRESS: number = 2 ** 40;

/** Locals of a function, its parameters included: those of what is written into it come behind them. */
const BANK = 17;

/** Declarations of the locals that are no parameters; `inlines` when something is written into the function. */
export function localDeclarations(address: number, inlines: boolean): number[] {
  const own = [5, ValueType.I64, 1, address, 3, ValueType.I64, 2, ValueType.I32];
  return inlines ? [8, ...own, 11, ValueType.I64, ...own.slice(2)] : [4, ...own];
}

/** Writes the body of one function, instruction by instruction. */
export class FunctionWriter {
  readonly module: ModuleWriter;
  readonly code: Code;
  readonly known: KnownValues;
  /** The runtime's function that it is; undefined for the program's own. */
  readonly runtime: RuntimeFunction | undefined;
  /** Index in the module of the functions of the same code, by their first slots. */
  readonly functions: ReadonlyMap<number, number>;
  readonly out: ByteWriter;
  /** The function that it is written into; undefined when it stands for itself. */
  readonly into: FunctionWriter | undefined;
  /** Whether something was written into it. */
  inlines = false;
  readonly #bank: number;
  /** Whether accesses are confined to regions. */
  readonly confined: boolean;
  /** Whether it spends fuel. */
  readonly fueled: boolean;

  constructor(
    module: ModuleWriter,
    code: Code,
    known: KnownValues,
    runtime: RuntimeFunction | undefined,
    functions: ReadonlyMap<number, number>,
    fueled: boolean,
    into?: FunctionWriter,
  ) {
    this.functions = functions;
    this.into = into;
    this.out = into?.out ?? new ByteWriter();
    this.#bank = into === undefined ? 0 : BANK;
    this.module = module;
    this.code = code;
    this.known = known;
    this.runtime = runtime;
    this.confined = module.options.regions && runtime === undefined;
    this.fueled = fueled;
  }

  /** An instruction without operands. */
  op(opcode: number): this {
    this.out.byte(opcode);
    return this;
  }

  getLocal(local: number): this {
    this.out.byte(Op.LOCAL_GET).unsigned(local + this.#bank);
    return this;
  }

  setLocal(local: number): this {
    this.out.byte(Op.LOCAL_SET).unsigned(local + this.#bank);
    return this;
  }

  teeLocal(local: number): this {
    this.out.byte(Op.LOCAL_TEE).unsigned(local + this.#bank);
    return this;
  }

  getGlobal(global: number): this {
    this.out.byte(Op.GLOBAL_GET).unsigned(global);
    return this;
  }

  setGlobal(global: number): this {
    this.out.byte(Op.GLOBAL_SET).unsigned(global);
    return this;
  }

  /** All 64 bits of a register. */
  get(register: number): this {
    return this.getLocal(registerLocal[register] as number);
  }

  /** The lower 32 bits of a register. */
  get32(register: number): this {
    return this.get(register).op(Op.I32_WRAP_I64);
  }

  set(register: number): this {
    return this.setLocal(registerLocal[register] as number);
  }

  /** Sets a register to 32 bits, the upper ones to 0. */
  set32(register: number): this {
    return this.op(Op.I64_EXTEND_I32_U).set(register);
  }

  i32(value: number): this {
    this.out.byte(Op.I32_CONST).signed(value | 0);
    return this;
  }

  i64(value: number): this {
    this.out.byte(Op.I64_CONST).signed(value);
    return this;
  }

  i64Wide(value: bigint): this {
    this.out.byte(Op.I64_CONST).signedBigint(value);
    return this;
  }

  call(index: number): this {
    this.out.byte(Op.CALL).unsigned(index);
    return this;
  }

  /** `if` over what is on the stack; the block leaves `type`. */
  if(type: number): this {
    return this.op(Op.IF).op(type);
  }

  /** Ends the program when what is on the stack is not 0. */
  trapIf(): this {
    return this.if(0x40).op(Op.UNREACHABLE).op(Op.END);
  }

  /** Ends the program at the address on the stack, and the block. */
  faultAt(): this {
    return this.setGlobal(this.module.globals.result).op(Op.UNREACHABLE).op(Op.END);
  }

  /** A load or a store in a memory, at an offset from the index on the stack. */
  memory(opcode: number, offset: number, memory = 0): this {
    if (memory === 0) this.out.byte(opcode).byte(0).unsigned(offset);
    else this.out.byte(opcode).byte(0x40).unsigned(memory).unsigned(offset);
    return this;
  }

  /** An atomic access of `size` bytes. */
  atomic(opcode: number, size: number, offset: number): this {
    this.out
      .byte(Op.ATOMIC)
      .byte(opcode)
      .byte(31 - Math.clz32(size))
      .unsigned(offset);
    return this;
  }

  /**
   * Puts the index in memory of `register + offset` on the stack, checked as far as WebAssembly does not check it itself,
   * and returns the offset for the access.
   */
  index(register: number, offset: number, size: number, access: "read" | "write"): number {
    const place = this.#frameOffset(register, offset, size);
    if (place !== undefined) {
      this.getLocal(Local.BASE);
      return place;
    }
    this.get(register);
    if (this.confined) {
      this.i64(offset - ADDRESS_BASE).op(Op.I64_ADD);
      return this.#confinedIndex(size, access);
    }
    if (this.module.options.addressBits === 64 && offset >= 0) {
      // So that accesses at several offsets from one pointer share the subtraction.
      this.i64(ADDRESS_BASE).op(Op.I64_SUB);
      return offset;
    }
    if (this.module.options.addressBits === 32 && this.runtime !== undefined) {
      // What the engine's own functions touch by themselves are its own addresses, below 2^32.
      this.op(Op.I32_WRAP_I64)
        .i32(offset - ADDRESS_BASE)
        .op(Op.I32_ADD);
      return 0;
    }
    if (this.module.options.addressBits === 32) return this.#narrowIndex(register, offset);
    this.i64(offset - ADDRESS_BASE).op(Op.I64_ADD);
    return 0;
  }

  /**
   * Makes an index of 32 bits of the address on the stack, which is checked to have no more where that is not known. What is
   * beyond the memory then WebAssembly finds by itself, without a comparison; null and what is near it become such an index.
   */
  #narrowIndex(register: number, offset: number): number {
    const kind = this.known.kinds[register];
    if (kind !== Known.ADDRESS && kind !== Known.CONTEXT) {
      this.teeLocal(Local.T0).i64(0xffff_ffff).op(Op.I64_GT_U).if(NO_RESULT);
      this.getLocal(Local.T0).i64(offset).op(Op.I64_ADD).faultAt();
      this.getLocal(Local.T0);
    }
    this.op(Op.I32_WRAP_I64)
      .i32(Math.min(offset, 0) - ADDRESS_BASE)
      .op(Op.I32_ADD);
    return Math.max(offset, 0);
  }

  /**
   * Checks the index on the stack against the regions, and leaves it there. What lies within 8 bytes takes one load and two
   * comparisons; what does not, or fails, is the matter of a function.
   */
  #confinedIndex(size: number, access: "read" | "write"): number {
    const { memorySize, addressBits } = this.module.options;
    const mask = regionPages(memorySize / 65536) * 65536 - 1;
    this.teeLocal(Local.T0).i64(3).op(Op.I64_SHR_U).op(Op.I32_WRAP_I64).i32(mask).op(Op.I32_AND);
    if (access === "write") this.memory(Op.I32_LOAD8_S, 0, 1);
    else this.memory(Op.I32_LOAD8_U, 0, 1).i32(15).op(Op.I32_AND);
    // The last byte's place in its 8, from 1 on.
    this.getLocal(Local.T0).op(Op.I32_WRAP_I64).i32(7).op(Op.I32_AND).i32(size).op(Op.I32_ADD).op(Op.I32_LT_S);
    this.getLocal(Local.T0)
      .i64(memorySize - size)
      .op(Op.I64_GT_U)
      .op(Op.I32_OR);
    this.if(NO_RESULT).getLocal(Local.T0).i64(ADDRESS_BASE).op(Op.I64_ADD);
    this.call(this.module.regionCheck(size, access)).op(Op.DROP).op(Op.END).getLocal(Local.T0);
    if (addressBits === 32) this.op(Op.I32_WRAP_I64);
    return 0;
  }

  /** The offset from the frame's first byte, when the access is known to be in the frame. */
  #frameOffset(register: number, offset: number, size: number): number | undefined {
    if (this.known.kinds[register] !== Known.FRAME) return undefined;
    const place = STACK_SIZE + (this.known.values[register] as number) + offset;
    return place >= 0 && place + size <= STACK_SIZE ? place : undefined;
  }

  /** Ends the program unless it may touch `length` bytes at a register, which a helper is about to. */
  checkArgument(register: number, length: number, access: "read" | "write"): this {
    if (!this.confined || this.#frameOffset(register, 0, length) !== undefined) return this;
    this.get(register)
      .i64(length)
      .i32(access === "write" ? 1 : 0);
    this.call(this.module.spanCheck()).op(Op.I32_EQZ).if(0x40);
    return this.get(register).faultAt();
  }

  /** Turns the address of a function on the stack into its index in the table. */
  functionIndex(): this {
    this.i64(FUNCTION_ADDRESS).op(Op.I64_SUB).teeLocal(Local.T0).i64(0x7fff_ffff).op(Op.I64_GT_U).trapIf();
    return this.getLocal(Local.T0).op(Op.I32_WRAP_I64);
  }

  /** The frame of a function to be called. */
  calleeFrame(): this {
    return this.getLocal(Local.FRAME).i64(FRAME_STRIDE).op(Op.I64_SUB);
  }

  /** Keeps the fuel where others find it, before something is called. */
  storeFuel(): this {
    return this.fueled ? this.getLocal(Local.FUEL).setGlobal(this.module.globals.fuel) : this;
  }

  /** Takes back the fuel that is left after a call. */
  loadFuel(): this {
    return this.fueled ? this.getGlobal(this.module.globals.fuel).setLocal(Local.FUEL) : this;
  }

  /** Spends fuel, and ends the program when there is none. */
  spend(cost: number): this {
    if (!this.fueled) return this;
    this.getLocal(Local.FUEL).i64(cost).op(Op.I64_SUB).teeLocal(Local.FUEL);
    return this.i64(0).op(Op.I64_LT_S).trapIf();
  }
}
