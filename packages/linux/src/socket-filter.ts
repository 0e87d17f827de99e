// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import type { FileDescriptor } from "./file-descriptor.ts";
import { systemCall } from "./system-call.ts";

// The same numbers on x86-64 and arm64 (include/uapi/asm-generic/socket.h).
const SOL_SOCKET = 1;
const SO_DETACH_FILTER = 27;
const SO_ATTACH_BPF = 50;
const SO_ATTACH_REUSEPORT_EBPF = 52;
const SO_DETACH_REUSEPORT_BPF = 68;

/** Makes a program the filter of an open socket (SO_ATTACH_BPF, 3.19), in the place of the one that it had. */
export function attachSocketFilter(socket: number, program: FileDescriptor, object?: string): void {
  const value = new AttrBuffer(4).i32(0, program.number);
  systemCall("setsockopt", object, socket, SOL_SOCKET, SO_ATTACH_BPF, value.address, value.size);
}

/** Takes the filter off a socket. ENOENT when it has none. */
export function detachSocketFilter(socket: number, object?: string): void {
  const value = new AttrBuffer(4);
  systemCall("setsockopt", object, socket, SOL_SOCKET, SO_DETACH_FILTER, value.address, value.size);
}

/**
 * Makes a program choose among the sockets that share an address with this one (SO_ATTACH_REUSEPORT_EBPF, 4.5), in the
 * place of the one that chose before. EINVAL when the socket is in no such group, nor to be.
 */
export function attachReuseport(socket: number, program: FileDescriptor, object?: string): void {
  const value = new AttrBuffer(4).i32(0, program.number);
  systemCall("setsockopt", object, socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, value.address, value.size);
}

/** Has the kernel choose again (SO_DETACH_REUSEPORT_BPF, 5.3). ENOENT when no program does. */
export function detachReuseport(socket: number, object?: string): void {
  const value = new AttrBuffer(4);
  systemCall("setsockopt", object, socket, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, value.address, value.size);
}
