// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, type LoadableProgram } from "@skep/ebpf";
import type { ProgramLoadOptions } from "@skep/linux";
import { LoadedTypes } from "./kernel-btf.ts";
import { KernelMap } from "./kernel-map.ts";
import { objectName } from "./object-name.ts";
import { encodeFunctionInfo, encodeLineInfo } from "./program-infos.ts";
import { writeExterns } from "./resolve-externs.ts";
import { verificationTarget } from "./verification-target.ts";
import { type AcceptedProgram, loadVerified } from "./verifier-load.ts";

const LD_IMM64 = 0x18;
const BPF_PSEUDO_MAP_FD = 1;
const BPF_PSEUDO_MAP_VALUE = 2;

/** Loads a program. Throws VerifierError when the verifier refuses it. `tokenFd` is of a BPF token. */
export function loadKernelProgram(program: LoadableProgram, tokenFd?: number): AcceptedProgram {
  const { spec, types } = program;
  const loaded = types instanceof LoadedTypes ? types : undefined;
  const instructions = withMapReferences(program);
  using modules = writeExterns(program, instructions);
  const moduleDescriptors = modules.array;
  using resources = new DisposableStack();
  const options: ProgramLoadOptions = {
    type: spec.type,
    instructions,
    license: spec.license,
    name: objectName(spec.name),
    flags: spec.flags,
    kernelVersion: spec.kernelVersion,
    ...(spec.interfaceIndex !== undefined && { interfaceIndex: spec.interfaceIndex }),
    ...verificationTarget(program, resources),
    ...(moduleDescriptors !== undefined && { descriptors: moduleDescriptors }),
    ...(tokenFd !== undefined && { tokenFd }),
    ...(loaded !== undefined && {
      btfFd: loaded.fd.number,
      functionInfo: encodeFunctionInfo(spec.functionInfo),
      lineInfo: encodeLineInfo(spec.lineInfo),
    }),
  };
  return loadVerified(options, program);
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
