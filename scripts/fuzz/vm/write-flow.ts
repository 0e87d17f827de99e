// SPDX-License-Identifier: Apache-2.0

import { Opcode } from "@skep/ebpf";
import { type FunctionWriter, Slot, type WriteBlock } from "./function-writer.ts";
import { conditionKinds, FROM_REGISTER } from "./opcode-kinds.ts";
import { type Registers, SCALAR } from "./registers.ts";
import { number32 } from "./values.ts";

const MOV_IMMEDIATE = 0xb7;
const JSET = 0x40;
const LOOP_LIMIT = 24;

/** Jumps to a label by some condition on numbers, often on such as are equal or nearly so. */
function jumpIf(f: FunctionWriter, target: string): void {
  const kind = f.random.pick(conditionKinds);
  const fromRegister = (kind.opcode & FROM_REGISTER) !== 0;
  const immediate = number32(f.random);
  if (f.random.below(3) === 0) {
    const destination = f.scalar();
    const operand = fromRegister ? { source: f.scalar() } : { immediate };
    f.emit({ opcode: kind.opcode, destination, target, ...operand });
    return;
  }
  const destination = f.variable();
  const source = fromRegister ? f.variable(destination) : undefined;
  const wide = BigInt.asUintN(64, BigInt(immediate));
  if (source !== undefined) f.load(source, wide);
  f.load(destination, (kind.opcode & 0xf0) === JSET ? disjoint(f, wide) : nearly(f, wide));
  f.emit({ opcode: kind.opcode, destination, target, ...(source === undefined ? { immediate } : { source }) });
}

/** A number, one less or one more, often with other upper bits. */
function nearly(f: FunctionWriter, value: bigint): bigint {
  const near = BigInt.asUintN(64, value + BigInt(f.random.pick([-1, 0, 0, 1])));
  return f.random.below(2) === 0 ? near ^ upperBits(f) : near;
}

/** A number that has no bit in common with another, or only upper ones, or one of all. */
function disjoint(f: FunctionWriter, value: bigint): bigint {
  const inverted = BigInt.asUintN(64, ~value);
  switch (f.random.below(3)) {
    case 0:
      return inverted;
    case 1:
      return inverted ^ upperBits(f);
    default:
      return inverted ^ (1n << BigInt(f.random.below(64)));
  }
}

function upperBits(f: FunctionWriter): bigint {
  return BigInt(f.random.pick([1, 0x80000000, 0xffffffff])) << 32n;
}

/** `if (…) { … }` or `if (…) { … } else { … }`. */
export function writeBranch(f: FunctionWriter, writeBlock: WriteBlock): void {
  const otherwise = f.label();
  jumpIf(f, otherwise);
  const certainty = f.certainty;
  f.open(otherwise);
  f.depth++;
  writeBlock(f, 1 + f.random.below(6));
  if (f.random.below(2) === 0) {
    f.depth--;
    f.close(otherwise);
  } else {
    const end = f.label();
    f.open(end);
    f.jump(end);
    f.close(otherwise, false);
    writeBlock(f, 1 + f.random.below(6));
    f.depth--;
    f.close(end);
  }
  f.certainty = certainty;
}

/** A jump to somewhere ahead, out of the blocks and loops around or past them, or the place of an earlier one. */
export function writeLeap(f: FunctionWriter): void {
  const leaps = f.opened.filter(({ label }) => f.leaps.has(label));
  const [first] = leaps;
  if (first !== undefined && f.enterable && f.random.below(2) === 0) {
    f.leaps.delete(first.label);
    f.close(first.label);
    // Whoever comes in here may find the loops around near their end.
    f.certainty = Math.min(f.certainty, 1);
    return;
  }
  if (leaps.length >= 3) return;
  const known = first !== undefined && f.random.below(3) === 0 ? first.label : undefined;
  const target = known ?? f.label();
  jumpIf(f, target);
  f.open(target);
  f.leaps.add(target);
}

/** Leads all leaps that are still open to here. */
export function closeLeaps(f: FunctionWriter): void {
  for (const label of f.leaps) f.close(label);
  f.leaps.clear();
}

/** A loop that counts to a small number, in a register or on the stack. */
export function writeLoop(f: FunctionWriter, writeBlock: WriteBlock): void {
  const times = 1 + f.random.below(6);
  const counters = f.counters;
  if (f.loopFactor * times > LOOP_LIMIT || counters >= Slot.COUNTER_COUNT || f.depth >= 4) return;
  const inRegister = f.random.below(2) === 0 && f.locked.size < 2;
  // Calls leave r6 to r9 alone.
  const free = [6, 7, 8, 9].filter((i) => !f.locked.has(i));
  const counter = f.random.pick(free);
  const offset = Slot.COUNTERS - 8 * counters;
  const down = inRegister && f.random.below(3) === 0;
  if (inRegister) f.moveImmediate(counter, down ? times : 0);
  else f.storeWord(offset, 0);
  const outer = { factor: f.loopFactor, certainty: f.certainty, enterable: f.enterable };
  // Pointers that hold before the first round may not hold before the second.
  f.registers = f.registers.map((content) => (content?.kind === "scalar" ? content : undefined));
  const entry = [...f.registers];
  const head = f.label();
  f.place(head);
  f.counters++;
  f.depth++;
  f.loopFactor *= times;
  f.certainty *= times;
  if (inRegister) f.locked.add(counter);
  f.enterable &&= !inRegister;
  writeBlock(f, 2 + f.random.below(7));
  restore(f, entry);
  if (inRegister) {
    f.add(counter, down ? -1 : 1);
    countdown(f, counter, down ? 0 : times, down, head);
  } else {
    const register = f.target();
    f.emit({ opcode: 0x79, destination: register, source: 10, offset });
    f.add(register, 1);
    f.emit({ opcode: 0x7b, destination: 10, source: register, offset });
    // Whoever comes in from outside finds some count of an earlier time: only a comparison ends for each.
    f.emit({ opcode: f.random.pick([0xa5, 0xa6]), destination: register, immediate: times, target: head });
    f.set(register, SCALAR);
  }
  f.locked.delete(counter);
  f.counters--;
  f.depth--;
  f.loopFactor = outer.factor;
  f.certainty = outer.certainty;
  f.enterable = outer.enterable;
}

/** Jumps back until the counter is there. */
function countdown(f: FunctionWriter, destination: number, immediate: number, down: boolean, target: string): void {
  // jne, jne32; upwards also jlt, jslt, of both widths.
  const opcodes = down ? [0x55, 0x56] : [0x55, 0x56, 0xa5, 0xa6, 0xc5, 0xc6];
  f.emit({ opcode: f.random.pick(opcodes), destination, immediate, target });
}

/** Two blocks that run one after the other and stand the other way around. */
export function writeShuffle(f: FunctionWriter, writeBlock: WriteBlock): void {
  if (f.depth >= 4) return;
  const [early, late, end] = [f.label(), f.label(), f.label()];
  f.depth++;
  f.jump(early);
  const start = f.code.length;
  f.place(early);
  writeBlock(f, 1 + f.random.below(4));
  f.jump(late);
  const code = f.code.splice(start);
  const runs = f.runs.splice(start);
  const fixed = f.fixed.splice(start);
  f.place(late);
  writeBlock(f, 1 + f.random.below(4));
  f.jump(end);
  f.code.push(...code);
  f.runs.push(...runs);
  f.fixed.push(...fixed);
  f.place(end);
  f.depth--;
}

/** Puts numbers into registers that held some before and do not now. */
function restore(f: FunctionWriter, wanted: Registers): void {
  for (const [register, content] of wanted.entries()) {
    if (content?.kind !== "scalar" || f.registers[register]?.kind === "scalar") continue;
    f.emit({ opcode: MOV_IMMEDIATE, destination: register, immediate: number32(f.random) });
    f.set(register, SCALAR);
  }
}

/** Leaves the function from the middle of it. */
export function writeEarlyExit(f: FunctionWriter): void {
  const past = f.label();
  jumpIf(f, past);
  f.open(past);
  if (f.plan.caller !== "call") f.moveImmediate(0, f.random.below(2));
  else if (f.registers[0]?.kind !== "scalar") f.number(0);
  f.emit({ opcode: Opcode.EXIT });
  f.close(past, false);
  f.left = true;
}
