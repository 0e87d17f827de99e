// SPDX-License-Identifier: Apache-2.0

import { assemble, InvalidValueError, type RunOptions } from "@skep/ebpf";
import { FileDescriptor, isSystemCallError, loadProgram, runProgram } from "@skep/linux";
import { expect } from "vitest";
import { ipv4Frame, ipv6Frame } from "../../run/run-room.test-kit.ts";
import type { VmEngine } from "../../vm-engine.ts";
import { type PacketProgram, vmProgram } from "./assembly.test-kit.ts";

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

/** Loads and runs in an engine without a kernel; gives the outcome, or the errno that the refusal names. */
export function runInVm(engine: VmEngine, program: PacketProgram, options: RunOptions): string {
  using loaded = vmProgram(engine, program);
  try {
    return outcome(loaded.run(options));
  } catch (error) {
    if (error instanceof InvalidValueError) return /\(([A-Z0-9]+)\)$/.exec(error.message)?.[1] ?? error.message;
    throw error;
  }
}

/** The same in the kernel. Throws with the verifier's log when it refuses the program. */
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

/** Compares runs of programs in both engines: on an IPv4 packet, some of them on an IPv6 packet too. */
export function agree(engine: VmEngine, programs: readonly PacketProgram[]): void {
  for (const [i, program] of programs.entries()) {
    for (const data of i % 8 === 0 ? [ipv4Frame, ipv6Frame] : [ipv4Frame]) {
      const options = { data, dataOutSize: 20_000 };
      const out = runInVm(engine, program, options);
      expect({ program, out }).toEqual({ program, out: runInKernel(program, options) });
    }
  }
}
