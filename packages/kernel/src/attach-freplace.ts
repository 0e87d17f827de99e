// SPDX-License-Identifier: Apache-2.0

import { type FreplaceTarget, InvalidValueError, ProgramType } from "@skep/ebpf";
import { type FileDescriptor, openRawTracepoint } from "@skep/linux";
import { linkTo, requireType } from "./attach-tools.ts";
import { KernelProgram } from "./kernel-program.ts";
import { programFunctionId } from "./program-function.ts";

/** Puts a program in the place of the function that it was loaded for, or of one like it in another program. */
export function attachFreplace(program: KernelProgram, { freplace }: FreplaceTarget): FileDescriptor {
  requireType(program, [ProgramType.EXT], "a function of a program");
  const { attachTo } = program.spec;
  const { program: other, function: name = attachTo } = freplace;
  const object = `freplace "${name}"`;
  if (other === undefined) {
    if (name !== attachTo) {
      throw new InvalidValueError(
        `program "${program.name}" was loaded for function "${attachTo}"; give the program whose "${name}" it replaces`,
      );
    }
    return openRawTracepoint(program.fd, undefined, object);
  }
  if (!(other instanceof KernelProgram)) {
    throw new InvalidValueError(`${object}: program "${other.name}" belongs to another engine`);
  }
  const btfId = programFunctionId(other, name);
  const options = { program: program.fd, target: other.fd, attachType: 0 };
  return linkTo({ ...options, detail: { kind: "tracing", btfId, cookie: 0n } }, object, {
    what: "a function of another program than the one that it was loaded for",
    since: "5.10",
  });
}
