// SPDX-License-Identifier: Apache-2.0

import {
  type AttrBuffer,
  BpfCommand,
  bpfResult,
  createMap,
  FileDescriptor,
  isSystemCallError,
  loadBtf,
  loadProgram,
  type MapCreateOptions,
  type ProgramLoadOptions,
} from "@skep/linux";
import type { Attempt } from "./feature-support.ts";

/** r0 = 0; exit */
export const returnZero: Uint8Array = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);

const logSize = 1 << 12;

/** Makes a map and gives it back. */
export function attemptMap(options: MapCreateOptions): Attempt {
  return errnoOf(BpfCommand.MAP_CREATE, () => createMap(options));
}

/** Has something made and closes it. */
export function errnoOf(command: BpfCommand, make: () => FileDescriptor): Attempt {
  try {
    make().close();
    return { command, errno: 0 };
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
    return { command, errno: error.errno };
  }
}

/** What loading a program gave, with what the verifier wrote about it. */
export interface ProgramAttempt extends Attempt {
  /** Empty when the kernel refused before it verified. */
  readonly log: string;
}

/** Loads a program under a license that permits all helpers, and gives it back. */
export function attemptProgram(options: Omit<ProgramLoadOptions, "license">): ProgramAttempt {
  const bytes = new Uint8Array(logSize);
  const { result } = loadProgram({ ...options, license: "GPL" }, { bytes, level: 1 });
  if (result >= 0) new FileDescriptor(result).close();
  const end = bytes.indexOf(0);
  const log = new TextDecoder().decode(bytes.subarray(0, end === -1 ? logSize : end));
  return { command: BpfCommand.PROG_LOAD, errno: Math.max(0, -result), log };
}

/** Loads types and gives them back. */
export function attemptBtf(bytes: Uint8Array): Attempt {
  const result = loadBtf(bytes);
  if (result >= 0) new FileDescriptor(result).close();
  return { command: BpfCommand.BTF_LOAD, errno: Math.max(0, -result) };
}

/**
 * Makes a call that cannot succeed: a kernel that knows the command says what is wrong with the arguments, one that does not
 * says EINVAL.
 */
export function attemptCommand(command: BpfCommand, attr: AttrBuffer): Attempt {
  return { command, errno: Math.max(0, -bpfResult(command, attr.address, attr.size)) };
}
