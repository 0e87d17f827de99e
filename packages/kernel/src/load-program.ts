// SPDX-License-Identifier: Apache-2.0

import {
  InvalidValueError,
  type LoadableProgram,
  NotSupportedError,
  type ProgramSpec,
  programTypeName,
  VerifierError,
} from "@skep/ebpf";
import {
  BpfCommand,
  bpfError,
  errnoName,
  FileDescriptor,
  loadProgram,
  type ProgramLoadOptions,
  type SystemCallError,
} from "@skep/linux";
import { attachBtfId } from "./attach-btf-id.ts";
import { LoadedTypes } from "./kernel-btf.ts";
import { KernelMap } from "./kernel-map.ts";
import { programTypeTooNew } from "./minimum-version.ts";
import { objectName } from "./object-name.ts";
import { missingCapability } from "./privileges.ts";
import { encodeFunctionInfo, encodeLineInfo } from "./program-infos.ts";
import { verifierReason } from "./verifier-reason.ts";

const LD_IMM64 = 0x18;
const BPF_PSEUDO_MAP_FD = 1;
const BPF_PSEUDO_MAP_VALUE = 2;
const BPF_LOG_LEVEL_BRANCHES = 1;
const firstLogSize = 1 << 16;
const largestLogSize = 1 << 30;

/** Loads a program and returns its descriptor. Throws VerifierError when the verifier refuses it. */
export function loadKernelProgram(program: LoadableProgram): FileDescriptor {
  const { spec, types } = program;
  const loaded = types instanceof LoadedTypes ? types : undefined;
  const options: ProgramLoadOptions = {
    type: spec.type,
    instructions: withMapReferences(program),
    license: spec.license,
    name: objectName(spec.name),
    flags: spec.flags,
    expectedAttachType: spec.expectedAttachType,
    kernelVersion: spec.kernelVersion,
    attachBtfId: attachBtfId(spec),
    ...(loaded !== undefined && {
      btfFd: loaded.fd.number,
      functionInfo: encodeFunctionInfo(spec.functionInfo),
      lineInfo: encodeLineInfo(spec.lineInfo),
    }),
  };
  // Without a log first: writing it takes longer than verifying.
  const { result } = loadProgram(options);
  return new FileDescriptor(result >= 0 ? result : loadWithLog(options, spec));
}

/** A copy of the instructions with descriptors and offsets in the `ld_imm64` that refer to maps. */
function withMapReferences({ spec, instructions, maps }: LoadableProgram): Uint8Array {
  const bytes = new Uint8Array(instructions);
  const view = new DataView(bytes.buffer);
  for (const { instruction, map: name, valueOffset } of spec.mapReferences) {
    const at = instruction * 8;
    if (at + 16 > bytes.length || bytes[at] !== LD_IMM64) {
      throw new InvalidValueError(
        `program "${spec.name}": instruction ${instruction} refers to map "${name}" but is no ld_imm64`,
      );
    }
    const map = maps.get(name);
    if (!(map instanceof KernelMap)) {
      const found = map === undefined ? "which was not given" : "which belongs to another engine";
      throw new InvalidValueError(`program "${spec.name}" refers to map "${name}", ${found}`);
    }
    const source = valueOffset === undefined ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE;
    bytes[at + 1] = (source << 4) | ((bytes[at + 1] ?? 0) & 0xf);
    view.setInt32(at + 4, map.fd, true);
    view.setUint32(at + 12, valueOffset ?? 0, true);
  }
  return bytes;
}

/** Loads again to learn why not, with a log that grows until all of it fits. */
function loadWithLog(options: ProgramLoadOptions, spec: ProgramSpec): number {
  for (let size = firstLogSize; ; ) {
    const bytes = new Uint8Array(size);
    const { result, logTrueSize } = loadProgram(options, { bytes, level: BPF_LOG_LEVEL_BRANCHES });
    if (result >= 0) return result;
    if (errnoName(-result) === "ENOSPC" && size < largestLogSize) {
      // Kernels from 6.4 on tell how much they wanted to write.
      size = Math.min(largestLogSize, logTrueSize > size ? logTrueSize : size * 2);
      continue;
    }
    throw refusal(spec, -result, bytes);
  }
}

function refusal(spec: ProgramSpec, errno: number, logBytes: Uint8Array): Error {
  const object = `program "${spec.name}"`;
  const end = logBytes.indexOf(0);
  const log = new TextDecoder().decode(logBytes.subarray(0, end === -1 ? logBytes.length : end));
  const reason = verifierReason(log);
  const cause: SystemCallError = bpfError(BpfCommand.PROG_LOAD, errno, object);
  if (reason !== "") return new VerifierError(spec.name, reason, log, { cause });
  const version = programTypeTooNew(spec.type);
  if (version !== undefined && errnoName(errno) === "EINVAL") {
    return new NotSupportedError(`${object}: program type ${programTypeName(spec.type)}`, version, { cause });
  }
  const detail =
    errnoName(errno) === "EPERM" ? (missingCapability("CAP_BPF") ?? missingCapability("CAP_PERFMON")) : undefined;
  return detail === undefined ? cause : bpfError(BpfCommand.PROG_LOAD, errno, object, detail);
}
