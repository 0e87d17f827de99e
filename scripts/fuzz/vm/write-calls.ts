// SPDX-License-Identifier: Apache-2.0

import { Opcode } from "@skep/ebpf";
import type { FunctionWriter } from "./function-writer.ts";
import { tailMap } from "./fuzz-maps.ts";
import type { Caller, FunctionPlan } from "./program-plan.ts";
import { SCALAR } from "./registers.ts";

const BPF_LOOP = 181;
const FOR_EACH = 164;
const TAIL_CALL = 12;
const MOV_REGISTER = 0xbf;

/** A call of a function of the program. */
export function writeCall(f: FunctionWriter): void {
  const found = pickCallee(f, "call");
  if (found === undefined) return;
  const [index, callee] = found;
  for (const [i, parameter] of callee.parameters.entries()) {
    const register = i + 1;
    switch (parameter) {
      case "context":
        f.loadContext(register);
        break;
      case "stack":
        writeStackArgument(f, register);
        break;
      case "value":
        f.map(register, "direct", 0);
        break;
      default:
        if (f.registers[register]?.kind !== "scalar") f.number(register);
    }
  }
  count(f, index, f.sure);
  f.emit({ opcode: Opcode.CALL, target: callee.name });
  f.clobber();
  f.set(0, SCALAR);
  f.forget("packet", "hash");
}

/** bpf_loop, or bpf_for_each_map_elem over the array or the hash. */
export function writeCallback(f: FunctionWriter): void {
  const found = pickCallee(f, "loop", "array", "hash");
  if (found === undefined) return;
  const [index, callee] = found;
  let times = 0;
  if (callee.caller === "loop") {
    if (f.random.below(2) === 0) {
      times = f.random.below(6);
      f.moveImmediate(1, times);
    } else {
      const source = f.variable();
      f.mask(source, 7);
      if (source !== 1) f.emit({ opcode: MOV_REGISTER, destination: 1, source });
    }
  } else {
    f.map(1, callee.caller);
  }
  count(f, index, Math.min(times, 1) * f.sure);
  f.emit({ opcode: Opcode.LD_IMM64, destination: 2, target: callee.name });
  writeStackArgument(f, 3);
  f.moveImmediate(4, 0);
  f.helper(callee.caller === "loop" ? BPF_LOOP : FOR_EACH);
  f.forget("packet", "hash");
}

/** A tail call: of a program, of nothing, or beyond the end of the array. */
export function writeTailCall(f: FunctionWriter): void {
  f.map(2, tailMap(f.program.type));
  f.moveImmediate(3, f.random.below(6));
  f.loadContext(1);
  f.emit({ opcode: Opcode.CALL, immediate: TAIL_CALL });
  f.clobber();
  f.left = true;
}

/** 32 bytes of the stack. */
function writeStackArgument(f: FunctionWriter, register: number): void {
  const { from, to } = f.window;
  f.stackAddress(register, from + 8 * f.random.below((to - from - 32) / 8 + 1));
}

function pickCallee(f: FunctionWriter, ...callers: readonly Caller[]): [number, FunctionPlan] | undefined {
  // What loops around it runs them all again.
  if (f.loopFactor > 6) return undefined;
  const fitting = f.plan.callees.flatMap((index): [number, FunctionPlan][] => {
    const plan = f.program.functions[index];
    if (plan === undefined || !callers.includes(plan.caller)) return [];
    return plan.hasContext && !f.plan.hasContext ? [] : [[index, plan]];
  });
  return fitting.length === 0 ? undefined : f.random.pick(fitting);
}

function count(f: FunctionWriter, index: number, times: number): void {
  f.program.called.set(index, (f.program.called.get(index) ?? 0) + times);
}
