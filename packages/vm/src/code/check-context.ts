// SPDX-License-Identifier: Apache-2.0

import { type ContextLayout, mayTouchContext } from "../context/context-layout.ts";
import type { Code } from "./code.ts";
import { controlFlow } from "./control-flow.ts";
import { InvalidProgramError } from "./invalid-program-error.ts";
import { Known, KnownValues } from "./known-values.ts";
import { Class, Mode, sizeOf } from "./opcode.ts";
import type { ValidatedCode } from "./validate.ts";

/**
 * Checks what a program's entry function does with its context, as far as the code tells: each access to one that is still in
 * a register, by the kernel's rules. Throws {@link InvalidProgramError}.
 */
export function checkContext(program: string, { code, functions }: ValidatedCode, layout: ContextLayout): void {
  const [entry] = functions;
  if (entry === undefined) return;
  const flow = controlFlow(code, entry.start, entry.end);
  const known = new KnownValues(code, flow, Known.CONTEXT, () => ({ kind: Known.NOTHING, value: 0 }));
  for (let block = 0; block < flow.count; block++) {
    known.enter(block);
    const end = flow.ends[block] as number;
    for (let slot = flow.starts[block] as number; slot < end; slot++) {
      checkAccess(program, code, slot, known, layout);
      known.step(slot);
    }
  }
}

function checkAccess(program: string, code: Code, slot: number, known: KnownValues, layout: ContextLayout): void {
  const opcode = code.opcodes[slot] as number;
  const kind = opcode & 7;
  if (kind !== Class.LDX && kind !== Class.ST && kind !== Class.STX) return;
  const mode = opcode & 0xe0;
  const base = (kind === Class.LDX ? code.sources[slot] : code.destinations[slot]) as number;
  if (known.kinds[base] !== Known.CONTEXT) return;
  const offset = (known.values[base] as number) + (code.offsets[slot] as number);
  const size = sizeOf(opcode);
  const write = kind !== Class.LDX;
  const allowed = mode !== Mode.ATOMIC && mayTouchContext(layout, offset, size, write);
  if (allowed) return;
  const what = `${write ? "writes" : "reads"} ${size} byte${size === 1 ? "" : "s"} at ${offset} of ${layout.name}`;
  throw new InvalidProgramError(program, slot, `it ${what}, which this type of program may not`);
}
