// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { FileDescriptor } from "./file-descriptor.ts";
import { systemCall } from "./system-call.ts";

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SIOCGIFINDEX = 0x8933;
/** Bytes of `struct ifreq`, whose name has at most 15 characters (IFNAMSIZ). */
const requestSize = 40;
const nameSize = 16;

/**
 * The index of a network interface in the network namespace that this thread is in. Throws SystemCallError: ENODEV
 * when there is none of that name.
 */
export function interfaceIndex(name: string): number {
  const object = `network interface "${name}"`;
  using socket = new FileDescriptor(systemCall("socket", object, AF_UNIX, SOCK_DGRAM_CLOEXEC));
  const request = new AttrBuffer(requestSize).text(0, nameSize, name);
  systemCall("ioctl", object, socket.number, SIOCGIFINDEX, request.address);
  return request.getI32(nameSize);
}
