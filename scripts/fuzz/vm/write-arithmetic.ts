// SPDX-License-Identifier: Apache-2.0

import type { FunctionWriter } from "./function-writer.ts";
import { arithmeticKinds, FROM_REGISTER, type OpcodeKind } from "./opcode-kinds.ts";
import { SCALAR } from "./registers.ts";
import { number32 } from "./values.ts";

const DIV = 0x30;
const MOD = 0x90;
const LSH = 0x60;
const RSH = 0x70;
const ARSH = 0xc0;
const MOV = 0xb0;
const NEG = 0x80;
const END = 0xd0;

/** What division minds: nothing, one, minus one of 32 and of 64 bits, and other upper bits. */
const DIVISORS = [0n, 1n, 0xffff_ffffn, 0xffff_ffff_ffff_ffffn, 0x1_0000_0000n, 0x1_0000_0001n];

/** One computation, at times after its operands were made something of an edge. */
export function writeArithmetic(f: FunctionWriter): void {
  const kind = f.random.pick(arithmeticKinds);
  const operation = kind.opcode & 0xf0;
  const fromRegister = (kind.opcode & FROM_REGISTER) !== 0;
  if (operation === MOV) {
    writeMove(f, kind, fromRegister);
    return;
  }
  const destination = f.variable();
  if (f.random.below(5) === 0) f.number(destination);
  const only = { opcode: kind.opcode, destination };
  if (operation === NEG || operation === END) {
    f.emit({ ...only, immediate: kind.immediate ?? 0 });
  } else if (fromRegister) {
    const source = f.scalar();
    if (!f.locked.has(source) && source !== destination && f.random.below(4) === 0) {
      if (operation === DIV || operation === MOD) f.load(source, f.random.pick(DIVISORS));
      else f.number(source);
    }
    f.emit({ ...only, source, offset: kind.offset ?? 0 });
  } else {
    f.emit({ ...only, offset: kind.offset ?? 0, immediate: immediateFor(f, kind, operation) });
  }
}

function writeMove(f: FunctionWriter, kind: OpcodeKind, fromRegister: boolean): void {
  const source = fromRegister ? f.scalar() : 0;
  const destination = f.target();
  const rest = fromRegister ? { source, offset: kind.offset ?? 0 } : { immediate: number32(f.random) };
  f.emit({ opcode: kind.opcode, destination, ...rest });
  f.set(destination, SCALAR);
}

/** No division by zero and no shift beyond the width, which the verifier refuses. */
function immediateFor(f: FunctionWriter, kind: OpcodeKind, operation: number): number {
  switch (operation) {
    case DIV:
    case MOD:
      return number32(f.random) || 1;
    case LSH:
    case RSH:
    case ARSH:
      // A shift by nothing still cuts a number to its width.
      return f.random.below(5) === 0 ? 0 : f.random.below((kind.opcode & 7) === 7 ? 64 : 32);
    default:
      return number32(f.random);
  }
}
