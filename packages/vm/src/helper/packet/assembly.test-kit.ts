// SPDX-License-Identifier: Apache-2.0

import { assemble, type BpfMap, type LoadableProgram, type ProgramSpec } from "@skep/ebpf";
import type { VmEngine } from "../../vm-engine.ts";

/** A program in assembly. */
export interface PacketProgram {
  readonly type: number;
  readonly attachType?: number;
  readonly text: string;
}

/** Loads a program into an engine without a kernel. */
export function vmProgram(
  engine: VmEngine,
  { type, attachType = 0, text }: PacketProgram,
  maps: ReadonlyMap<string, BpfMap> = new Map(),
): ReturnType<VmEngine["loadProgram"]> {
  const spec: ProgramSpec = {
    ...assemble(text),
    name: "test",
    section: "test",
    type,
    expectedAttachType: attachType,
    flags: 0,
    attachTo: "",
    target: undefined,
    license: "GPL",
    kernelVersion: 0,
  };
  const loadable: LoadableProgram = { spec, instructions: spec.instructions, maps, types: undefined };
  return engine.loadProgram(loadable);
}

/** Moves a number into a register, of 64 bits where it must be. */
export function move(register: number, value: number | bigint): string {
  const small = BigInt.asIntN(32, BigInt(value)) === BigInt(value);
  return small ? `mov %r${register}, ${value}` : `lddw %r${register}, ${value}`;
}

/** Puts bytes on the stack, a multiple of 4 of them, `depth` bytes below the frame pointer. */
export function onStack(depth: number, bytes: readonly number[]): string {
  const words = new Int32Array(Uint8Array.from(bytes).buffer);
  return [...words].map((word, i) => `stw [%r10-${depth - 4 * i}], ${word}`).join("\n");
}

/** Calls a helper of a context with plain numbers; then `after`, which may use r6, the context, and r0. */
export function calling(type: number, helper: string, args: readonly (number | bigint)[], after = ""): PacketProgram {
  const moves = args.map((value, i) => move(i + 2, value)).join("\n");
  return { type, text: `mov %r6, %r1\n${moves}\ncall ${helper}\n${after}\nexit` };
}
