// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { FileDescriptor } from "./file-descriptor.ts";
import { systemCall } from "./system-call.ts";

const FSOPEN_CLOEXEC = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;
const MOUNT_ATTR_NOSUID_NODEV_NOEXEC = 2 | 4 | 8;

/**
 * Mounts a file system of the kernel's own (`tracefs`, `bpf`) for this process alone: the mount is in no
 * directory and no mount table, is reached as `/proc/self/fd/N/…`, and ends with the descriptor. Linux 5.2,
 * CAP_SYS_ADMIN.
 */
export function detachedMount(fileSystem: string): FileDescriptor {
  const name = new AttrBuffer(64).text(0, 64, fileSystem);
  using context = new FileDescriptor(systemCall("fsopen", fileSystem, name.address, FSOPEN_CLOEXEC));
  systemCall("fsconfig", fileSystem, context.number, FSCONFIG_CMD_CREATE);
  return new FileDescriptor(
    systemCall("fsmount", fileSystem, context.number, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID_NODEV_NOEXEC),
  );
}
