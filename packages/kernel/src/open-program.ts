// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer, BpfCommand, bpf, bpfObjectIds, FileDescriptor, openBpfObject } from "@skep/linux";
import { KernelProgram } from "./kernel-program.ts";
import { openPin, takeDescriptor } from "./open-pin.ts";
import { describeProgram } from "./program-info.ts";

const BPF_STATS_RUN_TIME = 0;

/** Ids of all programs in the kernel, ascending (4.13, CAP_SYS_ADMIN). */
export function programIds(): Generator<number> {
  return bpfObjectIds("program");
}

/** Opens a program by its id (4.13, CAP_SYS_ADMIN). ENOENT when it has gone. */
export function openProgram(id: number): KernelProgram {
  return adopt(openBpfObject("program", id), `program ${id}`);
}

/** Opens a pinned program. ENOENT when nothing is pinned there. */
export function openPinnedProgram(path: string): KernelProgram {
  return adopt(openPin(path, "program"), path);
}

/** Takes over the descriptor of a program; as `adoptMap`. */
export function adoptProgram(fd: number): KernelProgram {
  return adopt(takeDescriptor(fd, "program"), `program of descriptor ${fd}`);
}

/**
 * Has the kernel count runs and run times of all programs until the result is closed (BPF_ENABLE_STATS, 5.8,
 * CAP_SYS_ADMIN). It makes every program slower by some tens of nanoseconds a run.
 */
export function enableProgramStats(): Disposable {
  return new FileDescriptor(bpf(BpfCommand.ENABLE_STATS, new AttrBuffer(4).u32(0, BPF_STATS_RUN_TIME), undefined));
}

function adopt(fd: FileDescriptor, object: string): KernelProgram {
  try {
    return new KernelProgram(describeProgram(fd, object), fd);
  } catch (error) {
    fd.close();
    throw error;
  }
}
