// SPDX-License-Identifier: Apache-2.0

/** Classes, sources, sizes, modes and operations of eBPF instructions (RFC 9669, sections 3 to 5). */
export const Class = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, JMP32: 6, ALU64: 7 } as const;

/** The bit that takes the second operand from a register. */
export const FROM_REGISTER = 0x08;

/** Sizes of loads and stores. */
export const Size = { W: 0x00, H: 0x08, B: 0x10, DW: 0x18 } as const;

/** Modes of loads and stores. */
export const Mode = { IMM: 0x00, ABS: 0x20, IND: 0x40, MEM: 0x60, MEMSX: 0x80, ATOMIC: 0xc0 } as const;

/** Arithmetic operations: the upper four bits of an opcode. */
export const Alu = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  NEG: 0x80,
  MOD: 0x90,
  XOR: 0xa0,
  MOV: 0xb0,
  ARSH: 0xc0,
  END: 0xd0,
} as const;

/** Jumps: the upper four bits of an opcode. */
export const Jump = {
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JGE: 0x30,
  JSET: 0x40,
  JNE: 0x50,
  JSGT: 0x60,
  JSGE: 0x70,
  CALL: 0x80,
  EXIT: 0x90,
  JLT: 0xa0,
  JLE: 0xb0,
  JSLT: 0xc0,
  JSLE: 0xd0,
  /** `may_goto` (6.9). */
  JCOND: 0xe0,
} as const;

/** Whole opcodes that stand for themselves. */
export const Opcode = {
  LD_IMM64: 0x18,
  JA: 0x05,
  /** `gotol`. */
  JA32: 0x06,
  CALL: 0x85,
  CALLX: 0x8d,
  EXIT: 0x95,
} as const;

/** Immediates of atomic operations; {@link Atomic.FETCH} is a flag of the first four. */
export const AtomicOperation = {
  FETCH: 0x01,
  ADD: 0x00,
  OR: 0x40,
  AND: 0x50,
  XOR: 0xa0,
  XCHG: 0xe1,
  CMPXCHG: 0xf1,
  LOAD_ACQUIRE: 0x100,
  STORE_RELEASE: 0x110,
} as const;

/** Bytes that an instruction's size bits say. */
export function sizeOf(opcode: number): 1 | 2 | 4 | 8 {
  switch (opcode & 0x18) {
    case Size.B:
      return 1;
    case Size.H:
      return 2;
    case Size.W:
      return 4;
    default:
      return 8;
  }
}
