// SPDX-License-Identifier: Apache-2.0

import {
  AttachType,
  InvalidValueError,
  type LoadableProgram,
  type Program,
  type ProgramSpec,
  ProgramType,
  programTypeName,
} from "@skep/ebpf";
import { attachBtfId } from "./attach-btf-id.ts";
import { KernelProgram } from "./kernel-program.ts";
import { openModuleTypes } from "./module-types.ts";
import { programFunctionId } from "./program-function.ts";
import { findMember, kernelStructType } from "./struct-ops-type.ts";

/** The fields of BPF_PROG_LOAD that say what a program is verified against. */
export interface VerificationTarget {
  readonly expectedAttachType: number;
  readonly attachBtfId: number;
  /** What the id belongs to, if not to the kernel's own types. */
  readonly attachObjectFd?: number;
}

const observers: readonly AttachType[] = [AttachType.TRACE_FENTRY, AttachType.TRACE_FEXIT];

/**
 * What a program is verified against: a function of the kernel, of a module or of another program, a member of a struct
 * of functions, or nothing. What has to stay open until it is loaded is among `resources`. Throws InvalidValueError
 * when the kernel, or the program, has nothing of the name.
 */
export function verificationTarget({ spec, target }: LoadableProgram, resources: DisposableStack): VerificationTarget {
  const { expectedAttachType, type } = spec;
  if (type === ProgramType.STRUCT_OPS) return structOpsMember(spec, resources);
  if (target !== undefined || type === ProgramType.EXT) return programFunction(spec, target);
  const { id, module } = attachBtfId(spec);
  return { expectedAttachType, attachBtfId: id, ...ofModule(module, spec, resources) };
}

function ofModule(
  module: string | undefined,
  { name }: ProgramSpec,
  resources: DisposableStack,
): { readonly attachObjectFd?: number } {
  if (module === undefined) return {};
  const fd = openModuleTypes(module);
  if (fd === undefined) throw new InvalidValueError(`program "${name}": module ${module} has gone`);
  return { attachObjectFd: resources.use(fd).number };
}

/** The struct by its id in the kernel, the member by its index in it (bpf_struct_ops_check, kernel/bpf/verifier.c). */
function structOpsMember(spec: ProgramSpec, resources: DisposableStack): VerificationTarget {
  const [struct = "", name = ""] = spec.attachTo.split(":");
  if (struct === "" || name === "") {
    throw new InvalidValueError(
      `program "${spec.name}": no struct_ops variable points at it; load one that does, or set attachTo to "struct:member"`,
    );
  }
  const kernel = kernelStructType(struct);
  const found = findMember(kernel, name);
  if (found === undefined) {
    throw new InvalidValueError(`program "${spec.name}": the kernel's struct ${struct} has no member "${name}"`);
  }
  const { typeId, module } = kernel;
  return { expectedAttachType: found.index, attachBtfId: typeId, ...ofModule(module, spec, resources) };
}

function programFunction(spec: ProgramSpec, target: Program | undefined): VerificationTarget {
  const object = `program "${spec.name}"`;
  const { expectedAttachType, type } = spec;
  if (target === undefined) {
    throw new InvalidValueError(`${object} replaces a function of another program: give that one in targetPrograms`);
  }
  if (!(target instanceof KernelProgram)) {
    throw new InvalidValueError(`${object}: its target, program "${target.name}", belongs to another engine`);
  }
  if (type !== ProgramType.EXT && !(type === ProgramType.TRACING && observers.includes(expectedAttachType))) {
    throw new InvalidValueError(
      `${object} is of type ${programTypeName(type)} for attach type ${expectedAttachType}: freplace, fentry and fexit alone go to another program`,
    );
  }
  if (spec.attachTo === "") {
    throw new InvalidValueError(`${object}: section "${spec.section}" names no function; set attachTo`);
  }
  return {
    expectedAttachType,
    attachBtfId: programFunctionId(target, spec.attachTo),
    attachObjectFd: target.fd.number,
  };
}
