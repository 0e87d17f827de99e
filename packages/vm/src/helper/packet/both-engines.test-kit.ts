// SPDX-License-Identifier: Apache-2.0

import { assemble, InvalidValueError, type LoadableProgram, type ProgramSpec, type RunOptions } from "@skep/ebpf";
import { FileDescriptor, isSystemCallError, loadProgram, runProgram } from "@skep/linux";
import type { VmEngine } from "../../vm-engine.ts";

/** A program in assembly. */
export interface PacketProgram {
  readonly type: number;
  readonly attachType?: number;
  readonly text: string;
}

/** What comes out of a run, as text: r0, packet and context; or the errno. */
export function outcome({
  returned,
  data,
  context,
}: {
  returned: number;
  data: Uint8Array;
  context: Uint8Array;
}): string {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  return `${returned | 0} ${hex(data)} ${hex(context)}`;
}

/** Loads a program into an engine without a kernel. */
export function vmProgram(
  engine: VmEngine,
  { type, attachType = 0, text }: PacketProgram,
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
  const loadable: LoadableProgram = { spec, instructions: spec.instructions, maps: new Map(), types: undefined };
  return engine.loadProgram(loadable);
}

export function runInVm(engine: VmEngine, program: PacketProgram, options: RunOptions): string {
  using loaded = vmProgram(engine, program);
  try {
    return outcome(loaded.run(options));
  } catch (error) {
    if (error instanceof InvalidValueError) return /\(([A-Z0-9]+)\)$/.exec(error.message)?.[1] ?? error.message;
    throw error;
  }
}

export function runInKernel({ type, attachType = 0, text }: PacketProgram, options: RunOptions): string {
  const bytes = new Uint8Array(1 << 16);
  const { instructions } = assemble(text);
  const load = { type, expectedAttachType: attachType, instructions, license: "GPL" };
  const { result } = loadProgram(load, { bytes, level: 1 });
  if (result < 0) {
    throw new Error(
      `the kernel refuses it: ${result}\n${Buffer.from(bytes).toString("latin1").replace(/\0.*$/s, "")}\n${text}`,
    );
  }
  using fd = new FileDescriptor(result);
  try {
    return outcome(runProgram(fd, options));
  } catch (error) {
    if (isSystemCallError(error)) return error.errnoName;
    throw error;
  }
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
