// SPDX-License-Identifier: Apache-2.0

import { type AssemblyInstruction, InstructionClass, Opcode } from "@skep/ebpf";
import type { Random } from "../../../packages/ebpf/src/fuzz/random.ts";
import type { FunctionPlan, ProgramPlan } from "./program-plan.ts";
import { type Content, type MemoryKind, meet, type Registers, SCALAR } from "./registers.ts";
import { number32, number64 } from "./values.ts";

const STXDW = 0x7b;
const STDW = 0x7a;
const LDXDW = 0x79;
const MOV = 0xb7;
const MOV32 = 0xb4;
const MOV_REGISTER = 0xbf;
const ADD = 0x07;
const AND = 0x57;

/** Where a function keeps what it needs itself, below its frame pointer: the context, counters of loops, a map's key. */
export const Slot = { CONTEXT: -8, COUNTERS: -16, COUNTER_COUNT: 3, KEY: -40, SIZE: 40 } as const;

/** Writes some pieces of program, one after the other: what the pieces that hold others are given for these. */
export type WriteBlock = (f: FunctionWriter, pieces: number) => void;

/** A place that was jumped to, and is yet to come. */
interface Opened {
  readonly label: string;
  registers: Registers;
}

/** Memory that a function may use: a register and a range of offsets from it. */
export interface Memory {
  readonly register: number;
  readonly of: MemoryKind;
  /** The lowest offset, and the one after the highest. */
  readonly from: number;
  readonly to: number;
  readonly computed?: boolean;
}

/**
 * Writes the instructions of one function and knows what each register holds, so that the verifier finds nothing to
 * refuse.
 */
export class FunctionWriter {
  readonly code: AssemblyInstruction[] = [];
  /** How often each instruction runs at least. */
  readonly runs: number[] = [];
  /** Whether each instruction is one that minimiseProgram must leave. */
  readonly fixed: boolean[] = [];
  fixing = false;
  readonly random: Random;
  readonly program: ProgramPlan;
  readonly plan: FunctionPlan;
  /** undefined while nothing leads here. */
  registers: Registers;
  /** Registers that are not to be written: a loop counts in them. */
  readonly locked = new Set<number>();
  /** How often what is written now runs at least; 0 where that is not known. */
  certainty: number;
  /** How often the loops around run in all. */
  loopFactor = 1;
  /** Whether the code may be entered from outside the loops around it. */
  enterable = true;
  /** Whether the function may have ended before. */
  left = false;
  depth = 0;
  /** Instructions that may still be written. */
  budget: number;
  readonly opened: Opened[] = [];
  /** Of the opened places, those that may come anywhere. */
  readonly leaps = new Set<string>();
  /** Counters on the stack in use. */
  counters = 0;
  readonly #labels: string[] = [];

  constructor(random: Random, program: ProgramPlan, plan: FunctionPlan, certainty: number, budget: number) {
    this.random = random;
    this.program = program;
    this.plan = plan;
    this.certainty = certainty;
    this.budget = budget;
    this.registers = new Array<Content | undefined>(10).fill(undefined);
  }

  /** The stack that is any code's to use: offsets from the frame pointer. */
  get window(): Memory {
    return { register: 10, of: "stack", from: -this.plan.reserved - this.plan.window, to: -this.plan.reserved };
  }

  /** Whether it is the program itself, and no function that it calls. */
  get isMain(): boolean {
    return this.plan === this.program.functions[0];
  }

  /** How often the next instruction runs at least. */
  get sure(): number {
    return this.left || this.opened.length > 0 ? 0 : this.certainty;
  }

  emit(instruction: AssemblyInstruction): void {
    const labels = this.#labels.splice(0);
    this.code.push(labels.length === 0 ? instruction : { ...instruction, labels });
    this.runs.push(this.sure);
    this.fixed.push(this.fixing);
    this.budget--;
  }

  label(): string {
    return `${this.plan.name}.${this.program.labels++}`;
  }

  /** The next instruction is where a label leads. */
  place(label: string): void {
    this.#labels.push(label);
  }

  set(register: number, content: Content | undefined): void {
    this.registers[register] = content;
  }

  /** Registers that hold what fits. */
  having(fits: (content: Content) => boolean): number[] {
    return this.registers.flatMap((content, i) => (content !== undefined && fits(content) ? [i] : []));
  }

  get scalars(): number[] {
    return this.having(({ kind }) => kind === "scalar");
  }

  /** A register that may be overwritten; rather one that holds no number, when few are free of pointers. */
  target(...not: readonly number[]): number {
    const free = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((i) => !this.locked.has(i) && !not.includes(i));
    const empty = free.filter((i) => this.registers[i] === undefined);
    return empty.length > 0 && this.random.below(3) === 0 ? this.random.pick(empty) : this.random.pick(free);
  }

  /** A register with a number in it, made when there is none. */
  scalar(...not: readonly number[]): number {
    const usable = this.scalars.filter((i) => !not.includes(i));
    if (usable.length > 0) return this.random.pick(usable);
    const register = this.target(...not);
    this.number(register);
    return register;
  }

  /** A register with a number in it that may be overwritten. */
  variable(...not: readonly number[]): number {
    const usable = this.scalars.filter((i) => !this.locked.has(i) && !not.includes(i));
    if (usable.length > 0) return this.random.pick(usable);
    const register = this.target(...not);
    this.number(register);
    return register;
  }

  /** Loads some number. */
  number(register: number): void {
    switch (this.random.below(3)) {
      case 0:
        this.emit({ opcode: MOV, destination: register, immediate: number32(this.random) });
        break;
      case 1:
        this.emit({ opcode: MOV32, destination: register, immediate: number32(this.random) });
        break;
      default:
        this.load(register, number64(this.random));
    }
    this.set(register, SCALAR);
  }

  /** Loads a number of 64 bits. */
  load(register: number, immediate: bigint): void {
    this.emit({ opcode: Opcode.LD_IMM64, destination: register, immediate });
    this.budget--;
    this.set(register, SCALAR);
  }

  moveImmediate(register: number, immediate: number): void {
    this.emit({ opcode: MOV, destination: register, immediate });
    this.set(register, SCALAR);
  }

  move(destination: number, source: number): void {
    this.emit({ opcode: MOV_REGISTER, destination, source });
    this.set(destination, source === 10 ? undefined : this.registers[source]);
  }

  /** `register += immediate`, of a number or a pointer whose content the caller sets. */
  add(register: number, immediate: number): void {
    this.emit({ opcode: ADD, destination: register, immediate });
  }

  /** Cuts a number to 0 to `mask`. */
  mask(register: number, mask: number): void {
    this.emit({ opcode: AND, destination: register, immediate: mask });
  }

  /** Loads the address of a map, or of a byte of its first value. */
  map(register: number, name: string, valueOffset?: number): void {
    this.emit({ opcode: Opcode.LD_IMM64, destination: register, map: { map: name, valueOffset } });
    this.budget--;
    this.set(register, undefined);
  }

  loadContext(register: number): void {
    this.emit({ opcode: LDXDW, destination: register, source: 10, offset: Slot.CONTEXT });
    this.set(register, undefined);
  }

  saveContext(register: number): void {
    this.emit({ opcode: STXDW, destination: 10, source: register, offset: Slot.CONTEXT });
  }

  /** Makes a register point at a frame's byte. */
  stackAddress(register: number, offset: number): void {
    this.move(register, 10);
    this.add(register, offset);
  }

  storeWord(offset: number, immediate: number): void {
    this.emit({ opcode: STDW, destination: 10, offset, immediate });
  }

  /** Calls a helper whose arguments are in place; r0 holds a number then. */
  helper(id: number): void {
    this.emit({ opcode: Opcode.CALL, immediate: id });
    this.clobber();
    this.set(0, SCALAR);
  }

  /** What every call does to r0 to r5. */
  clobber(): void {
    for (let i = 0; i <= 5; i++) this.set(i, undefined);
  }

  /** No register holds such memory any longer. */
  forget(...kinds: readonly MemoryKind[]): void {
    this.registers = this.registers.map((content) =>
      content?.kind === "memory" && kinds.includes(content.of) ? undefined : content,
    );
  }

  /** Jumps to a place that is yet to come, if the condition that the caller has emitted holds. */
  open(label: string, registers: Registers = this.registers): void {
    const known = this.opened.find((each) => each.label === label);
    if (known === undefined) this.opened.push({ label, registers: [...registers] });
    else known.registers = meet(known.registers, registers);
  }

  /** The place is here: from now on only what holds for all that jumped to it, and for what falls through. */
  close(label: string, reachable = true): void {
    const at = this.opened.findIndex((each) => each.label === label);
    const [opened] = this.opened.splice(at, 1);
    if (opened === undefined) throw new Error(`${label} was not opened`);
    this.registers = reachable ? meet(this.registers, opened.registers) : [...opened.registers];
    this.place(label);
  }

  /** `ja` or `gotol`. */
  jump(label: string): void {
    this.emit({ opcode: this.random.below(2) === 0 ? InstructionClass.JMP : InstructionClass.JMP32, target: label });
  }

  exit(): void {
    this.emit({ opcode: Opcode.EXIT });
  }
}
