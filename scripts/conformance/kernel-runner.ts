// SPDX-License-Identifier: Apache-2.0

import {
  type AssemblyInstruction,
  decodeProgram,
  encodeProgram,
  InstructionClass,
  MalformedError,
  type MapSpec,
  MapType,
  Opcode,
  ProgramType,
  parseAssembly,
  VerifierError,
} from "@skep/ebpf";
import { isSystemCallError, KernelEngine, type KernelMap } from "@skep/kernel";
import type { CaseOutcome, CaseRunner } from "./case-runner.ts";

const MEMORY = "memory";
const RESULT = "result";
const KEY = new Uint8Array(4);
/** XDP takes a packet whatever the program does with it. */
const PACKET = new Uint8Array(64);

/** Runs cases in the kernel: the memory is a map's value, and so is where all 64 bits of r0 go. */
export class KernelRunner implements CaseRunner {
  readonly name = "kernel";
  readonly verifies = true;
  readonly #engine = new KernelEngine();
  readonly #result: KernelMap = this.#array(RESULT, 8);

  run(instructions: Uint8Array, memory: Uint8Array): CaseOutcome {
    let wrapped: AssemblyInstruction[];
    try {
      wrapped = wrap(instructions, memory.length);
    } catch (error) {
      if (error instanceof MalformedError) return { refused: error.message };
      throw error;
    }
    const encoded = encodeProgram(wrapped);
    using resources = new DisposableStack();
    const maps = new Map([[RESULT, this.#result]]);
    if (memory.length > 0) {
      const map = resources.use(this.#array(MEMORY, memory.length));
      map.updateRaw(KEY, memory);
      maps.set(MEMORY, map);
    }
    const spec = {
      ...encoded,
      ...{ name: "conformance", section: "xdp", type: ProgramType.XDP, expectedAttachType: 0, flags: 0 },
      ...{ attachTo: "", target: undefined, license: "GPL", kernelVersion: 0 },
    };
    try {
      const program = this.#engine.loadProgram({ spec, instructions: encoded.instructions, maps, types: undefined });
      resources.use(program).run({ data: PACKET });
    } catch (error) {
      if (error instanceof VerifierError || isSystemCallError(error)) return { refused: error.message };
      throw error;
    }
    const value = new Uint8Array(8);
    this.#result.lookupRaw(KEY, value);
    return { returned: new DataView(value.buffer).getBigUint64(0, true) };
  }

  [Symbol.dispose](): void {
    this.#result.close();
    this.#engine.close();
  }

  #array(name: string, valueSize: number): KernelMap {
    const spec: MapSpec = {
      ...{ name, type: MapType.ARRAY, keySize: 4, valueSize, maxEntries: 1, flags: 0, extra: 0n },
      ...{ pinning: "none", keyTypeId: 0, valueTypeId: 0 },
    };
    return this.#engine.createMap(spec, undefined, undefined);
  }
}

/**
 * The program with r1 and r2 set before it, and what keeps r0 in the place of its exits. That comes first, so that what runs
 * over the end of the program still does. Throws MalformedError for what is no program.
 */
function wrap(instructions: Uint8Array, length: number): AssemblyInstruction[] {
  const parts = { mapReferences: [], externReferences: [], coreRelocations: [], functionInfo: [], lineInfo: [] };
  const body = decodeProgram({ instructions, ...parts });
  const functions = new Set(body.flatMap(({ opcode, target }) => (isReference(opcode) && target ? [target] : [])));
  const end = body.findIndex(({ labels = [] }) => labels.some((label) => functions.has(label)));
  const main = end === -1 ? body : body.slice(0, end);
  const [first, ...rest] = main.map((instruction) =>
    instruction.opcode === Opcode.EXIT ? { ...jump("exit.case"), ...labelsOf(instruction) } : instruction,
  );
  if (first === undefined) throw new MalformedError("program", undefined, "there are no instructions");
  const frame = parseAssembly(`
    ${length === 0 ? "mov %r1, 0" : `lddw %r1, map[${MEMORY}][0]`}
    mov %r2, ${length}
    ja32 +5
    exit.case: lddw %r1, map[${RESULT}][0]
    stxdw [%r1], %r0
    mov %r0, 0
    exit`);
  return [...frame, first, ...rest, ...(end === -1 ? [] : body.slice(end))];
}

function jump(target: string): AssemblyInstruction {
  return { opcode: InstructionClass.JMP32, target };
}

function labelsOf({ labels }: AssemblyInstruction): Pick<AssemblyInstruction, "labels"> {
  return labels === undefined ? {} : { labels };
}

/** Whether a label that it leads to begins a function. */
function isReference(opcode: number): boolean {
  return opcode === Opcode.CALL || opcode === Opcode.LD_IMM64;
}
