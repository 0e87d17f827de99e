// SPDX-License-Identifier: Apache-2.0

import type { FunctionWriter, Memory } from "./function-writer.ts";
import {
  atomicKinds,
  loadKinds,
  type OpcodeKind,
  orderedKinds,
  SIZES,
  STORE_RELEASE,
  storeKinds,
} from "./opcode-kinds.ts";
import { SCALAR } from "./registers.ts";
import { number32 } from "./values.ts";

const ADD_REGISTER = 0x0f;
const CMPXCHG = 0xf1;
const FETCH = 1;

/** A load or a store, to the stack, a map's value or a packet. */
export function writeAccess(f: FunctionWriter): void {
  const memory = pickMemory(f);
  if (f.random.below(2) === 0) load(f, memory, f.random.pick(loadKinds));
  else store(f, memory, f.random.pick(storeKinds));
}

/** An atomic operation, or an ordered load or store. */
export function writeAtomic(f: FunctionWriter): void {
  const memory = pickMemory(f);
  // The verifier takes none there.
  if (memory.of === "packet" || (memory.of === "stack" && memory.computed)) return;
  if (f.random.below(4) === 0) {
    const kind = f.random.pick(orderedKinds);
    const offset = pickOffset(f, memory, sizeOf(kind), true);
    if (offset === undefined) return;
    if (kind.immediate === STORE_RELEASE) {
      const source = f.scalar(memory.register);
      f.emit({ opcode: kind.opcode, destination: memory.register, source, offset, immediate: STORE_RELEASE });
    } else {
      const destination = f.target();
      f.emit({ opcode: kind.opcode, destination, source: memory.register, offset, immediate: kind.immediate ?? 0 });
      f.set(destination, SCALAR);
    }
    return;
  }
  const kind = f.random.pick(atomicKinds);
  const operation = kind.immediate ?? 0;
  const offset = pickOffset(f, memory, sizeOf(kind), true);
  if (offset === undefined) return;
  if (operation === CMPXCHG) {
    // r0 is compared: it must be a number, and no pointer to the memory.
    if (memory.register === 0 || f.locked.has(0)) return;
    const equal = f.random.below(2) === 0;
    if (equal) {
      const width = sizeOf(kind) === 8 ? 0x79 : 0x61;
      f.emit({ opcode: width, destination: 0, source: memory.register, offset });
      f.set(0, SCALAR);
    } else if (f.registers[0]?.kind !== "scalar") {
      f.number(0);
    }
  }
  const source =
    (operation & FETCH) !== 0 && operation !== CMPXCHG ? f.variable(memory.register) : f.scalar(memory.register);
  f.emit({ opcode: kind.opcode, destination: memory.register, source, offset, immediate: operation });
}

/** Makes a pointer to a byte of memory that a program chose: the offset comes from a number, cut to fit. */
export function writePointer(f: FunctionWriter): void {
  const memory = pickMemory(f);
  const room = memory.to - memory.from;
  // Where the bytes before and after cannot be seen to be within a packet.
  if (memory.of === "packet" || room < 16) return;
  const mask = 2 ** Math.floor(Math.log2(room - 8)) - 1;
  const register = f.target(memory.register);
  const index = f.variable(register, memory.register);
  // Whole words, so that atomic operations are aligned.
  f.mask(index, mask & ~7);
  f.move(register, memory.register);
  f.add(register, memory.from);
  f.emit({ opcode: ADD_REGISTER, destination: register, source: index });
  f.set(register, { kind: "memory", of: memory.of, before: 0, room: room - mask, computed: true });
}

function load(f: FunctionWriter, memory: Memory, kind: OpcodeKind): void {
  const offset = pickOffset(f, memory, sizeOf(kind), memory.of === "stack");
  if (offset === undefined) return;
  // Often over the pointer itself.
  const destination = f.target();
  f.emit({ opcode: kind.opcode, destination, source: memory.register, offset });
  f.set(destination, SCALAR);
}

function store(f: FunctionWriter, memory: Memory, kind: OpcodeKind): void {
  const offset = pickOffset(f, memory, sizeOf(kind), memory.of === "stack");
  if (offset === undefined) return;
  const place = { opcode: kind.opcode, destination: memory.register, offset };
  f.emit(
    (kind.opcode & 7) === 2
      ? { ...place, immediate: number32(f.random) }
      : { ...place, source: f.scalar(memory.register) },
  );
}

/** The stack, or what some register points at. */
function pickMemory(f: FunctionWriter): Memory {
  const pointers = f.having(({ kind }) => kind === "memory");
  if (pointers.length === 0 || f.random.below(3) === 0) return f.window;
  const register = f.random.pick(pointers);
  const content = f.registers[register];
  if (content?.kind !== "memory") return f.window;
  const { of, before, room, computed = false } = content;
  return { register, of, from: -before, to: room, computed };
}

function pickOffset(f: FunctionWriter, memory: Memory, size: number, aligned: boolean): number | undefined {
  const places = memory.to - memory.from - size + 1;
  if (places <= 0) return undefined;
  const offset = f.random.below(places);
  // Windows begin at a multiple of 8, and so do pointers to the stack and to values of maps.
  return memory.from + (aligned ? offset - (offset % size) : offset);
}

function sizeOf({ opcode }: OpcodeKind): number {
  return SIZES.find(({ bits }) => bits === (opcode & 0x18))?.bytes ?? 8;
}
