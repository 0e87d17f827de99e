// SPDX-License-Identifier: Apache-2.0

import {
  InvalidValueError,
  ProgramType,
  type ReuseportTarget,
  type SocketFilterTarget,
  type SockmapTarget,
} from "@skep/ebpf";
import {
  attachSocketFilter as attach,
  attachReuseport as attachToGroup,
  attachToTarget,
  detachFromTarget,
  detachReuseport,
  detachSocketFilter,
  type FileDescriptor,
  isSystemCallError,
} from "@skep/linux";
import { linkTo, requireType } from "./attach-tools.ts";
import { KernelMap } from "./kernel-map.ts";
import type { KernelProgram } from "./kernel-program.ts";
import { newerThanKernel } from "./minimum-version.ts";
import { duplicateDescriptor } from "./open-for-reading.ts";

/** Makes the program the filter of an open socket; the detaching is among `resources`. */
export function attachSocketFilter(
  program: KernelProgram,
  { socketFilter }: SocketFilterTarget,
  resources: DisposableStack,
): undefined {
  requireType(program, [ProgramType.SOCKET_FILTER], "a socket filter");
  const object = `socket ${socketFilter}`;
  const socket = resources.use(duplicateDescriptor(socketFilter, object));
  attach(socket.number, program.fd, object);
  resources.defer(() => {
    try {
      detachSocketFilter(socket.number, object);
    } catch (error) {
      // Somebody else took it off already.
      if (!isSystemCallError(error, "ENOENT")) throw error;
    }
  });
}

/** Has the program choose among the sockets of a group; the detaching is among `resources`. */
export function attachReuseport(
  program: KernelProgram,
  { reuseport }: ReuseportTarget,
  resources: DisposableStack,
): undefined {
  requireType(program, [ProgramType.SK_REUSEPORT, ProgramType.SOCKET_FILTER], "a reuseport group");
  const object = `reuseport group of socket ${reuseport}`;
  const socket = resources.use(duplicateDescriptor(reuseport, object));
  attachToGroup(socket.number, program.fd, object);
  resources.defer(() => {
    try {
      detachReuseport(socket.number, object);
    } catch (error) {
      // Somebody else took it off already.
      if (!isSystemCallError(error, "ENOENT")) throw error;
    }
  });
}

/** Attaches to a sockmap or sockhash, by a link where the kernel has them (6.10). */
export function attachSockmap(
  program: KernelProgram,
  { sockmap, mode = newerThanKernel("6.10") === undefined ? "link" : "attach" }: SockmapTarget,
  resources: DisposableStack,
): FileDescriptor | undefined {
  requireType(program, [ProgramType.SK_SKB, ProgramType.SK_MSG], "a sockmap");
  const object = `sockmap "${sockmap.spec.name}"`;
  if (!(sockmap instanceof KernelMap)) throw new InvalidValueError(`${object} belongs to another engine`);
  const attachType = program.spec.expectedAttachType;
  if (mode === "link") {
    return linkTo({ program: program.fd, target: sockmap.fd, attachType }, object, {
      what: "a sockmap",
      since: "6.10",
    });
  }
  const options = {
    program: resources.use(program.fd.duplicate()),
    target: resources.use(duplicateDescriptor(sockmap.fd, object)),
    attachType,
  };
  attachToTarget(options, object);
  resources.defer(() => detachFromTarget(options, object));
  return undefined;
}
