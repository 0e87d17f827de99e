// SPDX-License-Identifier: Apache-2.0

import {
  type Btf,
  type DisassembledInstruction,
  type DisassembledProgram,
  type DisassembleOptions,
  disassemble,
  disassembleInstructions,
  INSTRUCTION_SIZE,
  Instructions,
  type MapReference,
  Opcode,
  PseudoCall,
  PseudoLoad,
} from "@skep/ebpf";
import { isSystemCallError, openBpfObject } from "@skep/linux";
import { callNames } from "./call-names.ts";
import { readLoadedBtf, readMapInfo } from "./map-info.ts";
import type { ProgramCode } from "./program-code.ts";

/** An instruction of a loaded program. */
export interface LoadedInstruction extends DisassembledInstruction {
  /** Id of the map that it loads, or a byte of whose value it loads the address of. */
  readonly mapId: number | undefined;
  /** The kernel's function that it calls; undefined for other instructions, and where the kernel hides addresses. */
  readonly calls: string | undefined;
}

/** The instructions of a program that the kernel holds; `btf` are its types, read from the kernel unless given. */
export function loadedInstructions(name: string, code: ProgramCode, btf: Btf | undefined): LoadedInstruction[] {
  const { program, options, mapIds, calls } = prepare(name, code, btf);
  return disassembleInstructions(program, options).map((instruction) => ({
    ...instruction,
    mapId: mapIds.get(instruction.slot),
    calls: calls.get(instruction.slot),
  }));
}

/** The same as text. */
export function disassembleLoaded(name: string, code: ProgramCode, btf: Btf | undefined): string {
  const { program, options } = prepare(name, code, btf);
  return disassemble(program, options);
}

interface Prepared {
  readonly program: DisassembledProgram;
  readonly options: DisassembleOptions;
  readonly mapIds: ReadonlyMap<number, number>;
  readonly calls: ReadonlyMap<number, string>;
}

function prepare(name: string, code: ProgramCode, given: Btf | undefined): Prepared {
  const bytes = code.translated.slice();
  const instructions = new Instructions(bytes, "little");
  const mapIds = new Map<number, number>();
  const mapReferences: MapReference[] = [];
  const callOffsets = new Map<number, number>();
  const mapNames = new Map<number, string>();
  for (let slot = 0; slot < instructions.length; slot++) {
    const opcode = instructions.opcode(slot);
    const source = instructions.source(slot);
    if (opcode === Opcode.LD_IMM64) {
      if (source === PseudoLoad.MAP_FD || source === PseudoLoad.MAP_VALUE) {
        const id = instructions.immediate(slot);
        mapIds.set(slot, id);
        const map = mapNames.get(id) ?? mapName(id);
        mapNames.set(id, map);
        const valueOffset = source === PseudoLoad.MAP_VALUE ? instructions.immediate(slot + 1) : undefined;
        mapReferences.push({ instruction: slot, map, valueOffset });
      }
      slot++;
    } else if (opcode === Opcode.CALL && source === PseudoCall.FUNCTION) {
      // The distance is in the offset, and in the immediate the number of the function.
      instructions.setImmediate(slot, instructions.offset(slot));
      instructions.setOffset(slot, 0);
    } else if (opcode === Opcode.CALL) {
      callOffsets.set(slot, instructions.immediate(slot));
    }
  }
  const btf = given ?? (code.btfId === 0 ? undefined : orUndefined(() => readLoadedBtf(code.btfId)));
  const { functionInfo, lineInfo } = code;
  const calls = callNames(callOffsets);
  const hidden = "a function that the kernel hides (kernel.kptr_restrict)";
  return {
    program: {
      ...{ name, mapReferences, functionInfo, lineInfo },
      instructions: bytes.subarray(0, bytes.length - (bytes.length % INSTRUCTION_SIZE)),
    },
    options: { btf, callAt: (slot) => (callOffsets.has(slot) ? (calls.get(slot) ?? hidden) : undefined) },
    mapIds,
    calls,
  };
}

/** A map's name, or its id where it has none or may not be asked. */
function mapName(id: number): string {
  const name = orUndefined(() => {
    using fd = openBpfObject("map", id);
    return readMapInfo(fd, `map ${id}`).name;
  });
  return name === undefined || name === "" ? `id:${id}` : name;
}

/** What may not be asked, or has gone, is left out. */
function orUndefined<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (isSystemCallError(error, "EPERM") || isSystemCallError(error, "ENOENT")) return undefined;
    throw error;
  }
}
