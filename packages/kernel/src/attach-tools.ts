// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, NotSupportedError, type ProgramType, programTypeName } from "@skep/ebpf";
import { createLink, type FileDescriptor, isSystemCallError, type LinkCreateOptions } from "@skep/linux";
import type { KernelProgram } from "./kernel-program.ts";
import { newerThanKernel } from "./minimum-version.ts";

/** A kind of target: how error messages name it, and the first kernel with its links. */
export interface LinkKind {
  readonly what: string;
  readonly since: string;
}

/** Throws InvalidValueError unless the program is of one of the types. */
export function requireType(program: KernelProgram, types: readonly ProgramType[], what: string): void {
  if (types.includes(program.spec.type)) return;
  const wanted = types.map(programTypeName).join(" or ");
  throw new InvalidValueError(
    `program "${program.name}" is of type ${programTypeName(program.spec.type)}, ${what} takes ${wanted}`,
  );
}

/**
 * BPF_LINK_CREATE. Throws NotSupportedError when the kernel is older than the kind of link, or was built without it
 * (EOPNOTSUPP).
 */
export function linkTo(options: LinkCreateOptions, object: string, { what, since }: LinkKind): FileDescriptor {
  try {
    return createLink(options, object);
  } catch (error) {
    const version = newerThanKernel(since);
    if (version !== undefined && isSystemCallError(error, "EINVAL", "EOPNOTSUPP", "ENOTSUPP")) {
      throw new NotSupportedError(`a link to ${what}`, version, { cause: error });
    }
    if (isSystemCallError(error, "EOPNOTSUPP", "ENOTSUPP")) {
      throw new NotSupportedError(`a link to ${what}`, undefined, { cause: error });
    }
    throw error;
  }
}
