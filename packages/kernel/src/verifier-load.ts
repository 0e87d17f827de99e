// SPDX-License-Identifier: Apache-2.0

import {
  diagnoseVerifierLog,
  type LoadableProgram,
  NotSupportedError,
  programTypeName,
  VerifierError,
} from "@skep/ebpf";
import { BpfCommand, bpfError, errnoName, FileDescriptor, loadProgram, type ProgramLoadOptions } from "@skep/linux";
import { kernelBtf, LoadedTypes } from "./kernel-btf.ts";
import { memoryLimitHint } from "./memory-limit.ts";
import { programTypeTooNew } from "./minimum-version.ts";
import { missingCapability, programCapabilities } from "./privileges.ts";

const BPF_LOG_LEVEL_BRANCHES = 1;
const firstLogSize = 1 << 16;
const largestLogSize = 1 << 30;

/** A program that the verifier accepted. */
export interface AcceptedProgram {
  readonly fd: FileDescriptor;
  /** What the verifier wrote; empty when nothing was asked for. */
  readonly verifierLog: string;
}

/**
 * BPF_PROG_LOAD with a log when one is wanted. Without `logLevel` the first attempt has none, since writing it takes
 * longer than verifying, and a second one tells why the program was refused; with 0 there is no second one. Throws
 * VerifierError when the verifier said why, and the system call's error when it did not.
 */
export function loadVerified(options: ProgramLoadOptions, program: LoadableProgram): AcceptedProgram {
  const { logLevel } = program;
  if (logLevel === undefined || logLevel === 0) {
    const { result } = loadProgram(options);
    if (result >= 0) return { fd: new FileDescriptor(result), verifierLog: "" };
    if (logLevel === 0) throw refusal(program, -result, "");
  }
  return loadWithLog(options, program, logLevel ?? BPF_LOG_LEVEL_BRANCHES);
}

/** Loads with a log that grows until all of it fits. */
function loadWithLog(options: ProgramLoadOptions, program: LoadableProgram, level: number): AcceptedProgram {
  for (let size = firstLogSize; ; ) {
    const bytes = new Uint8Array(size);
    const { result, logTrueSize } = loadProgram(options, { bytes, level });
    if (result >= 0) return { fd: new FileDescriptor(result), verifierLog: logText(bytes) };
    if (errnoName(-result) === "ENOSPC" && size < largestLogSize) {
      // Kernels from 6.4 on tell how much they wanted to write.
      size = Math.min(largestLogSize, logTrueSize > size ? logTrueSize : size * 2);
      continue;
    }
    throw refusal(program, -result, logText(bytes));
  }
}

function logText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end === -1 ? bytes.length : end));
}

function refusal({ spec, instructions, types }: LoadableProgram, errno: number, log: string): Error {
  const object = `program "${spec.name}"`;
  const cause = bpfError(BpfCommand.PROG_LOAD, errno, object);
  const btf = types instanceof LoadedTypes ? types.btf : undefined;
  // The kernel's types take a while to read; they are wanted where some are missing.
  const kernelTypes = spec.coreRelocations.length === 0 ? undefined : kernelBtf();
  const finding = diagnoseVerifierLog(log, { spec, instructions, btf, kernelTypes });
  if (finding.reason !== "") return new VerifierError(spec.name, finding, log, { cause });
  const version = programTypeTooNew(spec.type);
  if (version !== undefined && errnoName(errno) === "EINVAL") {
    return new NotSupportedError(`${object}: program type ${programTypeName(spec.type)}`, version, { cause });
  }
  const detail =
    errnoName(errno) === "EPERM"
      ? (missingCapability("CAP_BPF", ...programCapabilities(spec.type)) ?? memoryLimitHint())
      : undefined;
  return detail === undefined ? cause : bpfError(BpfCommand.PROG_LOAD, errno, object, detail);
}
