// SPDX-License-Identifier: Apache-2.0

import { FileDescriptor } from "./file-descriptor.ts";
import { systemCall } from "./system-call.ts";

/** A descriptor of a process (pidfd_open(2), 5.3), closed on exec. It never comes to mean another process. */
export function openProcess(pid: number): FileDescriptor {
  return new FileDescriptor(systemCall("pidfd_open", `process ${pid}`, pid));
}
