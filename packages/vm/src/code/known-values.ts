// SPDX-License-Identifier: Apache-2.0

import type { Code } from "./code.ts";
import type { ControlFlow } from "./control-flow.ts";
import { Alu, AtomicOperation, Class, FROM_REGISTER, Mode, Opcode, Size } from "./opcode.ts";

/** What is known of a register. */
export const Known = {
  NOTHING: 0,
  /** A number: its value, sign-extended; 32 bits at most. */
  NUMBER: 1,
  /** An address in this function's frame: the bytes from r10, 0 or less. */
  FRAME: 2,
  /** An address in the context: the bytes from its beginning. */
  CONTEXT: 3,
  /** A map: the slot of the `ld_imm64` that loaded it. */
  MAP: 4,
  /** A function's address: its first slot. */
  FUNCTION: 5,
  /**
   * Less than 2^32, but for what was added since: up to this many bytes, 0 or a power of two. When that carries beyond 32 bits,
   * the lower ones are a null pointer's.
   */
  ADDRESS: 6,
} as const;

/** Bytes that may be added to an address before it has to be looked at again. */
const FARTHEST = 4096;

/** `bpf_map_lookup_elem`. */
const LOOKUP = 1;
const REGISTERS = 11;
const FRAME_REGISTER = 10;

/** What `ld_imm64` at a slot loads: a map, a function, or a number. */
export type WideKind = (slot: number) => { readonly kind: number; readonly value: number };

/**
 * What the registers of a function hold where that does not depend on the run: which map a helper is given, whether an
 * access is to the stack or the context. A forward pass over the blocks; where two ways meet, what they agree on.
 */
export class KnownValues {
  readonly #code: Code;
  readonly #wideKind: WideKind;
  readonly #kinds: Uint8Array;
  readonly #values: Int32Array;
  /** Of each register at the place that `step` came to. */
  readonly kinds: Uint8Array = new Uint8Array(REGISTERS);
  readonly values: Int32Array = new Int32Array(REGISTERS);

  /** `entry` says what r1 is at the beginning: CONTEXT or NOTHING. */
  constructor(code: Code, flow: ControlFlow, entry: number, wideKind: WideKind) {
    this.#code = code;
    this.#wideKind = wideKind;
    this.#kinds = new Uint8Array(flow.count * REGISTERS);
    this.#values = new Int32Array(flow.count * REGISTERS);
    this.#kinds[1] = entry;
    this.#kinds[FRAME_REGISTER] = Known.FRAME;
    const reached = new Uint8Array(flow.count);
    reached[0] = 1;
    // Reverse postorder settles all but loops at once; in those each register can only go from known to unknown.
    let again = true;
    while (again) {
      again = false;
      for (let block = 0; block < flow.count; block++) {
        if (!reached[block]) continue;
        this.enter(block);
        const end = flow.ends[block] as number;
        for (let slot = flow.starts[block] as number; slot < end; slot++) this.step(slot);
        for (const target of [flow.next[block] as number, flow.taken[block] as number]) {
          if (target === -1) continue;
          const changed = this.#flowInto(target, reached[target] === 0);
          reached[target] = 1;
          if (changed && target <= block) again = true;
        }
      }
    }
  }

  /** Goes to the beginning of a block. */
  enter(block: number): void {
    this.kinds.set(this.#kinds.subarray(block * REGISTERS, (block + 1) * REGISTERS));
    this.values.set(this.#values.subarray(block * REGISTERS, (block + 1) * REGISTERS));
  }

  #flowInto(block: number, first: boolean): boolean {
    const at = block * REGISTERS;
    if (first) {
      this.#kinds.set(this.kinds, at);
      this.#values.set(this.values, at);
      return true;
    }
    let changed = false;
    for (let register = 0; register < REGISTERS; register++) {
      const kind = this.#kinds[at + register] as number;
      if (kind === Known.NOTHING) continue;
      const [before, now] = [this.#values[at + register] as number, this.values[register] as number];
      if (kind === this.kinds[register] && (before === now || (kind === Known.ADDRESS && now < before))) continue;
      // Distances only grow, by powers of two, so that loops settle.
      if (kind === Known.ADDRESS && this.kinds[register] === kind) this.#values[at + register] = now;
      else this.#kinds[at + register] = Known.NOTHING;
      changed = true;
    }
    return changed;
  }

  /** Goes past an instruction. The second slot of `ld_imm64` changes nothing. */
  step(slot: number): void {
    const opcode = this.#code.opcodes[slot] as number;
    const destination = this.#code.destinations[slot] as number;
    switch (opcode & 7) {
      case Class.ALU64:
        this.#arithmetic(slot, opcode, destination);
        return;
      case Class.ALU: {
        const immediate = this.#code.immediates[slot] as number;
        // A 32-bit move of what is not negative is the number itself.
        if (opcode === (Class.ALU | Alu.MOV) && immediate >= 0) this.#set(destination, Known.NUMBER, immediate);
        else if ((opcode & 0xf0) === Alu.END && immediate === 64) this.#forget(destination);
        else this.#set(destination, Known.ADDRESS, 0);
        return;
      }
      case Class.LD:
        if (opcode === Opcode.LD_IMM64) {
          const { kind, value } = this.#wideKind(slot);
          this.#set(destination, kind, value);
        } else if (opcode !== 0) this.#forgetCall();
        return;
      case Class.LDX:
        this.#accessed(this.#code.sources[slot] as number);
        if ((opcode & 0xe0) === Mode.MEM && (opcode & 0x18) !== Size.DW) this.#set(destination, Known.ADDRESS, 0);
        else this.#forget(destination);
        return;
      case Class.ST:
        this.#accessed(destination);
        return;
      case Class.STX:
        if ((opcode & 0xe0) === Mode.ATOMIC) this.#atomic(slot, destination);
        else this.#accessed(destination);
        return;
      case Class.JMP:
        if (opcode === Opcode.CALL || opcode === Opcode.CALLX) this.#forgetCall();
        // What a lookup finds is in the engine's memory, or null.
        if (opcode === Opcode.CALL && this.#code.sources[slot] === 0 && this.#code.immediates[slot] === LOOKUP) {
          this.#set(0, Known.ADDRESS, 0);
        }
        return;
    }
  }

  #arithmetic(slot: number, opcode: number, destination: number): void {
    const operation = opcode & 0xf0;
    const source = this.#code.sources[slot] as number;
    const fromRegister = (opcode & FROM_REGISTER) !== 0;
    const kind = fromRegister ? (this.kinds[source] as number) : Known.NUMBER;
    const value = (fromRegister ? this.values[source] : this.#code.immediates[slot]) as number;
    if (operation === Alu.MOV) {
      if (this.#code.offsets[slot] === 0) this.#set(destination, kind, value);
      else this.#forget(destination);
      return;
    }
    const before = this.kinds[destination] as number;
    if (before === Known.ADDRESS && kind === Known.NUMBER && operation === Alu.ADD && value >= 0) {
      const far = (this.values[destination] as number) + value;
      if (far <= FARTHEST) {
        this.#set(destination, Known.ADDRESS, far === 0 ? 0 : 2 ** Math.ceil(Math.log2(far)));
        return;
      }
    }
    const pointer = before === Known.FRAME || before === Known.CONTEXT;
    if (kind === Known.NUMBER && pointer && (operation === Alu.ADD || operation === Alu.SUB)) {
      const moved = (this.values[destination] as number) + (operation === Alu.ADD ? value : -value);
      if (Math.abs(moved) < 0x10000) {
        this.#set(destination, before, moved);
        return;
      }
    }
    this.#forget(destination);
  }

  #atomic(slot: number, destination: number): void {
    const operation = this.#code.immediates[slot] as number;
    if (operation === AtomicOperation.LOAD_ACQUIRE) this.#forget(destination);
    else if (operation === AtomicOperation.CMPXCHG) this.#forget(0);
    else if (operation !== AtomicOperation.STORE_RELEASE && (operation & AtomicOperation.FETCH) !== 0) {
      this.#forget(this.#code.sources[slot] as number);
    }
  }

  #accessed(register: number): void {
    const kind = this.kinds[register] as number;
    if (kind === Known.NOTHING || kind === Known.ADDRESS) this.#set(register, Known.ADDRESS, 0);
  }

  #set(register: number, kind: number, value: number): void {
    this.kinds[register] = kind;
    this.values[register] = value;
  }

  #forget(register: number): void {
    this.kinds[register] = Known.NOTHING;
  }

  #forgetCall(): void {
    this.kinds.fill(Known.NOTHING, 0, 6);
  }
}
