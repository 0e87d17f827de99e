// SPDX-License-Identifier: Apache-2.0

import type { Emit, Emitters } from "../../../packages/vm/src/code/emitters.ts";
import { standardEmitters } from "../../../packages/vm/src/code/emitters.ts";
import { VmEngine } from "../../../packages/vm/src/vm-engine.ts";
import type { VmEngineOptions } from "../../../packages/vm/src/vm-engine-options.ts";
import { Op } from "../../../packages/vm/src/wasm/op.ts";
import { EngineSide } from "./engine-side.ts";
import { type OpcodeKind, opcodeKinds } from "./opcode-kinds.ts";

const MEMORY = 16 << 20;
const FUEL = 10_000_000;

/** A way of running programs that must all come to the same. */
export interface VmMode {
  readonly name: string;
  readonly options: VmEngineOptions;
}

/** The ways that programs are run in, one after the other. */
export const vmModes: readonly VmMode[] = [
  { name: "memory64", options: { addressBits: 64, regions: false } },
  { name: "memory64 with regions", options: { addressBits: 64, regions: true } },
  { name: "memory32", options: { addressBits: 32, regions: false } },
  { name: "memory32 with regions", options: { addressBits: 32, regions: true } },
  { name: "memory64 without fuel", options: { addressBits: 64, regions: false, fuel: false } },
];

/** The engine of a mode with the maps of all programs. */
export function vmSide({ options }: VmMode, emitters?: Emitters): EngineSide {
  const engine = new VmEngine({ memory: MEMORY, fuel: FUEL, ...options, ...(emitters && { emitters }) });
  return new EngineSide(engine);
}

/** What an instruction looks like to the engine, for {@link isKind}. */
type Slots = Parameters<Emit>[0]["code"];

/** Whether the instruction at a slot is of a kind. */
export function isKind(kind: OpcodeKind, code: Slots, slot: number): boolean {
  return (
    code.opcodes[slot] === kind.opcode &&
    (kind.offset === undefined || code.offsets[slot] === kind.offset) &&
    (kind.immediate === undefined || code.immediates[slot] === kind.immediate) &&
    (kind.source === undefined || code.sources[slot] === kind.source)
  );
}

/** Counts what programs execute, by kind. */
export class Counters {
  /** Translates as usual, and counts. Not jumps that need no code of their own, nor exits. */
  readonly emitters: Emitters = standardEmitters();
  #address: { readonly view: DataView; readonly index: number } | undefined;

  constructor(addressBits: 32 | 64) {
    for (const [opcode, emit] of this.emitters.entries()) {
      if (emit === undefined) continue;
      const kinds = opcodeKinds.flatMap((kind, i) => (kind.opcode === opcode ? [[kind, i] as const] : []));
      this.emitters[opcode] = (writer, slot) => {
        const index = kinds.find(([kind]) => isKind(kind, writer.code, slot))?.[1];
        if (writer.runtime === undefined && index !== undefined && this.#address !== undefined) {
          const at = this.#address.index + index * 8;
          const base = (): unknown => (addressBits === 64 ? writer.i64(0) : writer.i32(0));
          base();
          base();
          writer.memory(Op.I64_LOAD, at).i64(1).op(Op.I64_ADD).memory(Op.I64_STORE, at);
        }
        emit(writer, slot);
      };
    }
  }

  /** Gives the counters room in the memory of the engine that uses the table. */
  place(engine: VmEngine): void {
    const address = engine.memory.allocate(opcodeKinds.length * 8);
    this.#address = { view: engine.memory.view, index: engine.memory.index(address) };
  }

  /** The count of each kind, in the order of `opcodeKinds`. */
  read(): number[] {
    const place = this.#address;
    if (place === undefined) throw new Error("the counters have no place");
    return opcodeKinds.map((_, i) => Number(place.view.getBigUint64(place.index + i * 8, true)));
  }
}
