// SPDX-License-Identifier: Apache-2.0

import type { ByteOrder } from "./cursor.ts";

/** Bytes of one slot. `ld_imm64` takes two (RFC 9669, section 3). */
export const INSTRUCTION_SIZE = 8;

/** Instruction classes: the lower 3 bits of the opcode (RFC 9669, section 3.2). */
export const InstructionClass = {
  LD: 0,
  LDX: 1,
  ST: 2,
  STX: 3,
  ALU: 4,
  JMP: 5,
  JMP32: 6,
  ALU64: 7,
} as const;

/** Opcodes that a loader must know. */
export const Opcode = {
  /** `dst = imm64`, in two slots. */
  LD_IMM64: 0x18,
  CALL: 0x85,
  EXIT: 0x95,
} as const;

/** Meanings of `src_reg` in `ld_imm64` (BPF_PSEUDO_*, include/uapi/linux/bpf.h). */
export const PseudoLoad = {
  MAP_FD: 1,
  MAP_VALUE: 2,
  BTF_ID: 3,
  /** The address of a function: `imm` counts slots from the next one, as in a call. */
  FUNC: 4,
} as const;

/** Meanings of `src_reg` in `call`: a helper (0), a function of the program (1), a kernel function (2). */
export const PseudoCall = { HELPER: 0, FUNCTION: 1, KFUNC: 2 } as const;

/**
 * Reads and writes instructions in place: opcode u8, two registers of 4 bits, offset i16, immediate i32. The
 * order of the registers within their byte follows the byte order.
 */
export class Instructions {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #littleEndian: boolean;

  /** `bytes` must be a multiple of 8 long. */
  constructor(bytes: Uint8Array, byteOrder: ByteOrder) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = byteOrder === "little";
  }

  /** Number of slots. */
  get length(): number {
    return this.bytes.length / INSTRUCTION_SIZE;
  }

  /** The opcode (RFC 9669, section 3). */
  opcode(slot: number): number {
    return this.#view.getUint8(slot * INSTRUCTION_SIZE);
  }

  /** Writes the opcode and nothing else of the slot. */
  setOpcode(slot: number, opcode: number): void {
    this.#view.setUint8(slot * INSTRUCTION_SIZE, opcode);
  }

  /** Number of the destination register, 0 to 10 in sound programs. */
  destination(slot: number): number {
    const registers = this.#view.getUint8(slot * INSTRUCTION_SIZE + 1);
    return this.#littleEndian ? registers & 0xf : registers >> 4;
  }

  /** Number of the source register, or one of the pseudo meanings of calls and `ld_imm64`. */
  source(slot: number): number {
    const registers = this.#view.getUint8(slot * INSTRUCTION_SIZE + 1);
    return this.#littleEndian ? registers >> 4 : registers & 0xf;
  }

  /** Writes both registers. */
  setRegisters(slot: number, destination: number, source: number): void {
    const registers = this.#littleEndian ? (source << 4) | destination : (destination << 4) | source;
    this.#view.setUint8(slot * INSTRUCTION_SIZE + 1, registers);
  }

  /** The signed 16-bit offset: bytes for loads and stores, slots for jumps. */
  offset(slot: number): number {
    return this.#view.getInt16(slot * INSTRUCTION_SIZE + 2, this.#littleEndian);
  }

  /** Writes the offset; keeps the lower 16 bits. */
  setOffset(slot: number, offset: number): void {
    this.#view.setInt16(slot * INSTRUCTION_SIZE + 2, offset, this.#littleEndian);
  }

  /** The signed 32-bit immediate. */
  immediate(slot: number): number {
    return this.#view.getInt32(slot * INSTRUCTION_SIZE + 4, this.#littleEndian);
  }

  /** Keeps the lower 32 bits. */
  setImmediate(slot: number, immediate: number): void {
    this.#view.setInt32(slot * INSTRUCTION_SIZE + 4, immediate, this.#littleEndian);
  }

  /** The 64-bit immediate of an `ld_imm64` at `slot`. */
  immediate64(slot: number): bigint {
    return BigInt.asUintN(64, (BigInt(this.immediate(slot + 1)) << 32n) | BigInt(this.immediate(slot) >>> 0));
  }

  /** Writes the 64-bit immediate of an `ld_imm64` at `slot`; keeps the lower 64 bits. */
  setImmediate64(slot: number, immediate: bigint): void {
    this.setImmediate(slot, Number(BigInt.asIntN(32, immediate)));
    this.setImmediate(slot + 1, Number(BigInt.asIntN(32, immediate >> 32n)));
  }
}
