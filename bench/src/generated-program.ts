// SPDX-License-Identifier: Apache-2.0

import { INSTRUCTION_SIZE, Instructions, Opcode } from "@skep/ebpf";

/** What a program is made of; `mixed` has the others' parts, memory, calls and early exits. */
export type ProgramShape = "straight" | "diamonds" | "loops" | "mixed";

/** Opcodes that are written here (RFC 9669). */
const Op = {
  MOV64_IMM: 0xb7,
  MOV64: 0xbf,
  ADD64_IMM: 0x07,
  AND64_IMM: 0x57,
  XOR64: 0xaf,
  JA: 0x05,
  JA32: 0x06,
  JNE_IMM: 0x55,
  JNE32_IMM: 0x56,
  JLE_IMM: 0xb5,
  ADD32: 0x0c,
  LDXW: 0x61,
  LDXDW: 0x79,
  STXDW: 0x7b,
} as const;

const aluOfRegister = [0x0f, 0x1f, 0x2f, 0x4f, 0xaf, 0xbf, 0x0c, 0x1c, 0x2c, 0xac] as const;
const aluOfNumber = [0x07, 0x27, 0x47, 0xa7, 0x04, 0x24, 0xa4] as const;
const shifts = [0x67, 0x77, 0xc7, 0x64, 0x74, 0xc4] as const;
/** jgt, jge, jlt, jsgt, jslt, jset; all of 32 bits. */
const conditions = [0x26, 0x36, 0xa6, 0x66, 0xc6, 0x46] as const;

/** Registers with numbers; r6 is the context, r8 and r9 count loops. */
const registers = [0, 1, 2, 3, 4, 5, 7] as const;
const contextRegister = 6;
const outerCounter = 8;
const innerCounter = 9;
const frame = 10;
/** `mark` of `struct __sk_buff`: a number that the verifier does not know. */
const markOffset = 8;
const stackSlots = 16;
/** `bpf_get_numa_node_id`. */
const helper = 42;

/**
 * Instructions of a socket filter, as many slots as asked for, the same for the same seed. It returns what it has computed.
 * The kernel's verifier takes it too, as long as there are no more than 8,192 branches whose outcome it cannot tell. Where
 * it can tell, it would compare all that led to it, and pass over a million instructions soon: so what branches depend on is
 * read from the context.
 */
export function generateProgram(shape: ProgramShape, slots: number, seed: number): Uint8Array {
  return new Generator(slots, seed).program(shape);
}

class Generator {
  readonly #code: Instructions;
  readonly #random: () => number;
  /** Where the next instruction goes. */
  #at = 0;
  /** `ja32` instructions that lead to the end. */
  readonly #exits: number[] = [];

  constructor(slots: number, seed: number) {
    this.#code = new Instructions(new Uint8Array(slots * INSTRUCTION_SIZE), "little");
    this.#random = xorshift(seed);
  }

  program(shape: ProgramShape): Uint8Array {
    this.#begin();
    // No part is longer than this, the last one included.
    const room = 100;
    while (this.#code.length - this.#at > room) this.#part(shape);
    while (this.#code.length - this.#at > registers.length + 1) this.#arithmetic(1);
    for (const exit of this.#exits) this.#code.setImmediate(exit, this.#at - exit - 1);
    this.#emit(Op.MOV64, 0, 0);
    for (const register of registers.slice(1)) this.#emit(Op.XOR64, 0, register);
    this.#emit(Opcode.EXIT);
    return this.#code.bytes;
  }

  #begin(): void {
    this.#emit(Op.MOV64, contextRegister, 1);
    for (const register of registers) {
      this.#emit(Op.LDXW, register, contextRegister, markOffset);
      this.#emit(Op.ADD64_IMM, register, 0, 0, this.#number());
    }
    for (let slot = 1; slot <= stackSlots; slot++) this.#emit(Op.STXDW, frame, this.#register(), -8 * slot);
  }

  #part(shape: ProgramShape): void {
    if (shape === "straight") this.#arithmetic(16);
    else if (shape === "diamonds") this.#diamond();
    else if (shape === "loops") this.#loops();
    else this.#mixed();
  }

  #arithmetic(count: number): void {
    for (let i = 0; i < count; i++) {
      const kind = this.#below(8);
      if (kind < 4) this.#emit(this.#pick(aluOfRegister), this.#register(), this.#register());
      else if (kind < 7) this.#emit(this.#pick(aluOfNumber), this.#register(), 0, 0, this.#number());
      else this.#emit(this.#pick(shifts), this.#register(), 0, 0, 1 + this.#below(31));
    }
  }

  /** if (a ? b) { ... } else { ... } */
  #diamond(depth = 0): void {
    const branch = this.#emit(this.#pick(conditions), this.#unknown(), 0, 0, this.#number());
    this.#arithmetic(1 + this.#below(5));
    if (depth > 0) this.#diamond(depth - 1);
    const end = this.#emit(Op.JA);
    this.#land(branch);
    this.#arithmetic(1 + this.#below(5));
    this.#land(end);
  }

  /** A loop in a loop, six rounds in all. */
  #loops(): void {
    this.#emit(Op.MOV64_IMM, outerCounter, 0, 0, 2);
    const outer = this.#at;
    this.#arithmetic(4);
    this.#diamond();
    this.#loop(3);
    this.#repeat(outerCounter, outer);
    this.#arithmetic(4);
  }

  #loop(rounds: number): void {
    this.#emit(Op.MOV64_IMM, innerCounter, 0, 0, rounds);
    const start = this.#at;
    this.#arithmetic(4 + this.#below(8));
    this.#repeat(innerCounter, start);
  }

  #repeat(counter: number, start: number): void {
    this.#emit(Op.ADD64_IMM, counter, 0, 0, -1);
    this.#emit(Op.JNE_IMM, counter, 0, start - this.#at - 1, 0);
  }

  #mixed(): void {
    const kind = this.#below(16);
    if (kind < 4) this.#memory(2 + this.#below(4));
    else if (kind < 6) this.#diamond();
    else if (kind < 7) this.#diamond(2);
    else if (kind < 8) this.#loops();
    else if (kind < 11) this.#unless();
    else if (kind < 13) this.#bounded();
    else if (kind < 14) this.#call();
    else this.#arithmetic(2 + this.#below(8));
  }

  /** Makes a register one whose value the verifier cannot tell, so that it goes both ways, and returns it. */
  #unknown(): number {
    const register = this.#register();
    this.#emit(Op.LDXW, register, contextRegister, markOffset);
    this.#emit(Op.ADD32, register, this.#register());
    return register;
  }

  #memory(count: number): void {
    for (let i = 0; i < count; i++) {
      const offset = -8 * (1 + this.#below(stackSlots));
      if (this.#below(2) === 0) this.#emit(Op.LDXDW, this.#register(), frame, offset);
      else this.#emit(Op.STXDW, frame, this.#register(), offset);
      this.#arithmetic(1);
    }
  }

  /** Leaves the program for one number out of all. */
  #unless(): void {
    this.#emit(Op.JNE32_IMM, this.#unknown(), 0, 1, this.#number());
    this.#exit();
    this.#arithmetic(3);
  }

  /** Leaves the program for a number that there cannot be, as checks of an index do. */
  #bounded(): void {
    const register = this.#register();
    this.#emit(Op.LDXW, register, contextRegister, markOffset);
    this.#emit(Op.AND64_IMM, register, 0, 0, 15);
    const within = this.#emit(Op.JLE_IMM, register, 0, 0, 15);
    this.#exit();
    this.#land(within);
    this.#arithmetic(3);
  }

  /** A call, and what it leaves undefined read again. */
  #call(): void {
    this.#emit(Opcode.CALL, 0, 0, 0, helper);
    this.#emit(Op.MOV64, 0, 7);
    for (let register = 1; register <= 5; register++) this.#emit(Op.LDXDW, register, frame, -8 * register);
  }

  #exit(): void {
    this.#exits.push(this.#emit(Op.JA32));
  }

  /** Lets a jump lead here. */
  #land(jump: number): void {
    this.#code.setOffset(jump, this.#at - jump - 1);
  }

  /** Returns its slot. */
  #emit(opcode: number, destination = 0, source = 0, offset = 0, immediate = 0): number {
    const slot = this.#at++;
    this.#code.setOpcode(slot, opcode);
    this.#code.setRegisters(slot, destination, source);
    this.#code.setOffset(slot, offset);
    this.#code.setImmediate(slot, immediate);
    return slot;
  }

  #register(): number {
    return this.#pick(registers);
  }

  /** Any number but 0. */
  #number(): number {
    return this.#random() | 1;
  }

  #below(limit: number): number {
    return this.#random() % limit;
  }

  #pick(items: readonly number[]): number {
    return items[this.#below(items.length)] as number;
  }
}

/** Numbers of 32 bits from a seed other than 0 (Marsaglia, "Xorshift RNGs", 2003). */
function xorshift(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}
