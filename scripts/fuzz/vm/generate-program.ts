// SPDX-License-Identifier: Apache-2.0

import { type AssemblyInstruction, Opcode, ProgramType, parseAssembly } from "@skep/ebpf";
import { Random } from "../../../packages/ebpf/src/fuzz/random.ts";
import { FunctionWriter, Slot } from "./function-writer.ts";
import { DUMP_SIZES, dumpMap, REGISTERS_SIZE } from "./fuzz-maps.ts";
import { FUNCTION_TYPES, MAIN_TYPE } from "./fuzz-types.ts";
import type { Caller, FunctionPlan, Parameter, ProgramPlan } from "./program-plan.ts";
import { SCALAR } from "./registers.ts";
import { number32 } from "./values.ts";
import { writeBlock } from "./write-block.ts";
import { closeLeaps } from "./write-flow.ts";

const STXDW = 0x7b;
const LDXDW = 0x79;
const UPDATE = 2;
const AND = 0x57;
/** Stands where a register holds nothing to keep. */
const NOTHING = 0x5eed;

/** A random program that the kernel accepts, nearly always, and that gives the same whenever it runs. */
export interface FuzzProgram {
  readonly type: number;
  readonly code: readonly AssemblyInstruction[];
  /** How often each instruction runs at least when the program does. */
  readonly runs: readonly number[];
  /**
   * Whether each instruction must stay if the program is to come to the same whenever it runs: it fills registers or the
   * stack, which would hold what was left there, or keeps them at the end.
   */
  readonly fixed: readonly boolean[];
  /** Bytes of the stack and the registers that it keeps in the map {@link dumpMap}. */
  readonly dumpSize: number;
}

/** The program of a seed. */
export function generateProgram(seed: number): FuzzProgram {
  const random = new Random(seed);
  const plan = planProgram(random);
  const main = new FunctionWriter(random, plan, first(plan), 1, 40 + random.below(70));
  writeMain(main);
  const code = [...main.code];
  const runs = [...main.runs];
  const fixed = [...main.fixed];
  for (const [index, function_] of plan.functions.entries()) {
    const called = plan.called.get(index);
    if (index === 0 || called === undefined) continue;
    const writer = new FunctionWriter(random, plan, function_, called, 10 + random.below(16));
    writeFunction(writer);
    code.push(...writer.code);
    runs.push(...writer.runs);
    fixed.push(...writer.fixed);
  }
  return { type: plan.type, code, runs, fixed, dumpSize: plan.dumpSize };
}

function first(plan: ProgramPlan): FunctionPlan {
  const [main] = plan.functions;
  if (main === undefined) throw new Error("a program has a function");
  return main;
}

function planProgram(random: Random): ProgramPlan {
  const { XDP, SCHED_CLS, SOCKET_FILTER } = ProgramType;
  const type = random.pick([XDP, XDP, XDP, XDP, SCHED_CLS, SCHED_CLS, SCHED_CLS, SOCKET_FILTER, SOCKET_FILTER]);
  const count = random.pick([0, 0, 0, 1, 2, 3]);
  // The frames of a chain of calls have 512 bytes together.
  const dumpSize = random.pick(count === 0 ? [128, ...DUMP_SIZES] : count < 3 ? [128, 128, 256] : [128]);
  const functions = Array.from({ length: count }, (_, i) => planFunction(random, i + 1, count));
  const main: FunctionPlan = {
    ...{ name: "main", typeId: MAIN_TYPE, parameters: ["context"], caller: "call", hasContext: true },
    ...{ window: dumpSize - REGISTERS_SIZE, reserved: REGISTERS_SIZE },
    callees: functions.map((_, i) => i + 1),
  };
  return { type, functions: [main, ...functions], dumpSize, called: new Map(), labels: 0 };
}

function planFunction(random: Random, index: number, count: number): FunctionPlan {
  const caller = random.pick<Caller>(["call", "call", "call", "loop", "loop", "array", "hash"]);
  const parameters = parametersOf(random, caller);
  return {
    ...{ name: `f${index}`, typeId: FUNCTION_TYPES + index - 1, parameters, caller },
    ...{ window: 48, reserved: Slot.SIZE, hasContext: parameters.includes("context") },
    callees: caller === "call" ? Array.from({ length: count - index }, (_, i) => index + 1 + i) : [],
  };
}

function parametersOf(random: Random, caller: Caller): Parameter[] {
  switch (caller) {
    case "loop":
      return ["scalar", "stack"];
    case "array":
    case "hash":
      return ["unused", "unused", "element", "stack"];
    default:
      return [
        random.pick<Parameter>(["context", "scalar"]),
        random.pick<Parameter>(["stack", "scalar"]),
        random.pick<Parameter>(["value", "scalar", "scalar"]),
        ...Array.from({ length: random.below(3) }, (): Parameter => "scalar"),
      ];
  }
}

function writeMain(f: FunctionWriter): void {
  f.fixing = true;
  f.saveContext(1);
  for (let i = 0; i < 10; i++) f.number(i);
  initialise(f);
  f.fixing = false;
  writeBlock(f, 6 + f.random.below(20));
  closeLeaps(f);
  f.fixing = true;
  for (let i = 0; i < 10; i++) {
    const offset = 8 * i - REGISTERS_SIZE;
    if (f.registers[i]?.kind === "scalar") f.emit({ opcode: STXDW, destination: 10, source: i, offset });
    else f.storeWord(offset, NOTHING);
  }
  f.map(1, dumpMap(f.program.dumpSize));
  f.map(2, "zero", 0);
  f.stackAddress(3, -f.program.dumpSize);
  f.moveImmediate(4, 0);
  f.helper(UPDATE);
  f.emit({ opcode: LDXDW, destination: 0, source: 10, offset: -REGISTERS_SIZE });
  f.exit();
  f.code[0] = { ...(f.code[0] as AssemblyInstruction), functionTypeId: f.plan.typeId };
}

function writeFunction(f: FunctionWriter): void {
  f.place(f.plan.name);
  f.fixing = true;
  if (f.plan.caller === "hash") {
    writeHashBody(f);
  } else {
    receive(f);
    initialise(f);
    f.fixing = false;
    writeBlock(f, 2 + f.random.below(5));
    closeLeaps(f);
    if (f.registers[0]?.kind !== "scalar") f.number(0);
    if (f.plan.caller !== "call") f.emit({ opcode: AND, destination: 0, immediate: 1 });
    f.exit();
  }
  f.code[0] = { ...(f.code[0] as AssemblyInstruction), functionTypeId: f.plan.typeId };
}

/** Takes the parameters in. */
function receive(f: FunctionWriter): void {
  for (const [i, parameter] of f.plan.parameters.entries()) {
    const register = i + 1;
    switch (parameter) {
      case "context":
        f.saveContext(register);
        break;
      case "stack":
        f.set(register, { kind: "memory", of: "stack", before: 0, room: 32 });
        break;
      case "value":
        f.set(register, { kind: "memory", of: "value", before: 0, room: 64 });
        break;
      case "element":
        f.set(register, { kind: "memory", of: "value", before: 0, room: 16 });
        break;
      case "scalar":
        f.set(register, SCALAR);
        break;
      default:
        break;
    }
  }
}

/** Fills the stack, so that nothing is read that was left there. */
function initialise(f: FunctionWriter): void {
  for (let i = 0; i < Slot.COUNTER_COUNT; i++) f.storeWord(Slot.COUNTERS - 8 * i, 0);
  const { from, to } = f.window;
  for (let offset = from; offset < to; offset += 8) {
    const scalars = f.scalars;
    if (scalars.length > 0 && f.random.below(2) === 0) {
      f.emit({ opcode: STXDW, destination: 10, source: f.random.pick(scalars), offset });
    } else {
      f.storeWord(offset, number32(f.random));
    }
  }
}

/** What is done for each element of a hash must not depend on their order. */
function writeHashBody(f: FunctionWriter): void {
  const operation = f.random.pick(["add", "xor", "or", "fetch add"]);
  const source = `
    ldxdw %r1, [%r3+${8 * f.random.below(2)}]
    ldxw %r0, [%r2+0]
    mul %r0, ${number32(f.random)}
    add %r1, %r0
    lock ${operation} [%r4+${8 * f.random.below(4)}], %r1
    mov %r0, 0`;
  for (const instruction of parseAssembly(source)) f.emit(instruction);
  f.emit({ opcode: Opcode.EXIT });
}
