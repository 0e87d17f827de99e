// SPDX-License-Identifier: Apache-2.0

import type { VmFaultReason } from "../vm-fault.ts";
import type { Code } from "./code.ts";
import type { FunctionPositions } from "./module-writer.ts";
import { Class, Mode, Opcode, sizeOf } from "./opcode.ts";

/** Where a program was when it was ended. */
export interface TrapPlace {
  /** Slot of the instruction; undefined when the stack does not tell. */
  readonly instruction: number | undefined;
  /** Whether the function that it calls there had begun and not come to its first instruction. */
  readonly entering: boolean;
}

/** What can be found in stack traces: the name of a module, and where its functions have which instruction. */
export interface TracedModule {
  readonly name: string;
  readonly code: Code;
  readonly functions: readonly FunctionPositions[];
}

const frame = /wasm:\/\/wasm\/(\S*?)-[0-9a-f]+:wasm-function\[(\d+)\]:0x([0-9a-f]+)/g;

/** The place in a program at which a stack was when the error was made; the innermost. */
export function trapPlace(module: TracedModule, error: Error): TrapPlace {
  let entering = false;
  for (const [, name, index, offset] of (error.stack ?? "").matchAll(frame)) {
    if (name !== module.name) continue;
    const found = module.functions.find((each) => each.index === Number(index));
    if (found === undefined) continue;
    const at = Number.parseInt(offset as string, 16) - found.start;
    const { offsets, slots } = found.positions;
    let low = 0;
    let high = offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((offsets[middle] as number) <= at) low = middle + 1;
      else high = middle;
    }
    // Before its first instruction a function is still the matter of whoever called it.
    if (low > 0) return { instruction: slots[low - 1], entering };
    entering = true;
  }
  return { instruction: undefined, entering };
}

/** The access of an instruction: how, and how many bytes; undefined for what is no load and no store. */
export function accessOf(
  { code }: TracedModule,
  instruction: number,
): { access: "read" | "write"; size: number } | undefined {
  const opcode = code.opcodes[instruction] as number;
  const kind = opcode & 7;
  if (kind !== Class.LDX && kind !== Class.ST && kind !== Class.STX) return undefined;
  return { access: kind === Class.LDX ? "read" : "write", size: sizeOf(opcode) };
}

/** Why WebAssembly trapped at an instruction. */
export function trapReason(module: TracedModule, error: Error, { instruction, entering }: TrapPlace): VmFaultReason {
  if (error instanceof RangeError) return "depth";
  const text = error.message;
  if (/unaligned|alignment/.test(text)) return "alignment";
  if (/table|signature|null function|indirect/.test(text)) return "call";
  if (/out of bounds/.test(text)) return "memory";
  // The translator's own checks end in `unreachable`; what was checked is told by the instruction.
  if (instruction === undefined || entering) return "depth";
  const opcode = module.code.opcodes[instruction] as number;
  switch (opcode & 7) {
    case Class.LDX:
    case Class.ST:
    case Class.STX:
      return (opcode & 0xe0) === Mode.IMM ? "call" : "region";
    default:
      if (opcode === Opcode.CALLX) return "call";
      return opcode === Opcode.CALL ? "region" : "fuel";
  }
}
