// SPDX-License-Identifier: Apache-2.0

import { openSync } from "node:fs";
import { InvalidValueError } from "@skep/ebpf";
import { FileDescriptor, systemCall } from "@skep/linux";

const F_DUPFD_CLOEXEC = 1030;

/** Opens a file or folder that stands for a kernel object; closed on exec. Throws InvalidValueError when it cannot. */
export function openForReading(path: string, object: string): FileDescriptor {
  try {
    return new FileDescriptor(openSync(path, "r"));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidValueError(`${object} cannot be opened: ${why}`, { cause });
  }
}

/**
 * A descriptor of one's own for an open file that the caller keeps: the caller may close it first, and its number
 * may then be another's.
 */
export function duplicateDescriptor(number: number, object: string): FileDescriptor {
  return new FileDescriptor(systemCall("fcntl", object, number, F_DUPFD_CLOEXEC, 0));
}
