// SPDX-License-Identifier: Apache-2.0

import { NotSupportedError } from "@skep/ebpf";
import { createBpfToken, type FileDescriptor, isSystemCallError, SystemCallError } from "@skep/linux";
import { newerThanKernel } from "./minimum-version.ts";
import { duplicateDescriptor, openForReading } from "./open-for-reading.ts";

/** Where the right to use BPF comes from: a mounted BPF file system that delegates it, or the descriptor of a token. */
export type TokenSource = string | number;

/**
 * A BPF token (6.9), by which a process without CAP_BPF outside of its own user namespace creates maps and loads types
 * and programs, as far as the mount of the file system lets it. The caller closes what is returned, and keeps a
 * descriptor that it gave.
 *
 * Throws NotSupportedError on older kernels, and in the initial user namespace, where there are no tokens.
 */
export function openToken(source: TokenSource): FileDescriptor {
  if (typeof source === "number") return duplicateDescriptor(source, `BPF token ${source}`);
  const object = `BPF token of ${source}`;
  using directory = openForReading(source, `BPF file system ${source}`);
  try {
    return createBpfToken(directory, object);
  } catch (error) {
    throw isSystemCallError(error) ? explained(error, object) : error;
  }
}

function explained(error: SystemCallError, object: string): Error {
  const version = newerThanKernel("6.9");
  if (version !== undefined) return new NotSupportedError(object, version, { cause: error });
  if (error.errnoName === "EOPNOTSUPP") {
    return new NotSupportedError(`${object}, which belongs to the initial user namespace,`, undefined, {
      cause: error,
    });
  }
  const details: Readonly<Record<string, string>> = {
    EINVAL: "the folder is not the root of a BPF file system",
    ENOENT: "it was mounted without delegate_cmds and the like: it delegates nothing",
    EPERM: "it takes CAP_BPF in the user namespace that the file system was mounted in",
  };
  const detail = details[error.errnoName];
  if (detail === undefined) return error;
  return new SystemCallError({ syscall: error.syscall, errno: error.errno, object, detail }, { cause: error });
}
