// SPDX-License-Identifier: Apache-2.0

import type { LinkInfo } from "@skep/ebpf";
import { bpfObjectIds, type FileDescriptor, isSystemCallError, openBpfObject } from "@skep/linux";
import { readLinkInfo } from "./link-info.ts";
import { type MapInfo, readMapInfo } from "./map-info.ts";
import { type ProgramInfo, readProgramInfo } from "./program-info.ts";

/** Every program in the kernel by its id (4.13, CAP_SYS_ADMIN). What goes away meanwhile is left out. */
export function listPrograms(): ProgramInfo[] {
  return list("program", readProgramInfo);
}

/** Every map in the kernel by its id (4.13, CAP_SYS_ADMIN). What goes away meanwhile is left out. */
export function listMaps(): MapInfo[] {
  return list("map", readMapInfo);
}

/** Every link in the kernel by its id (5.8, CAP_SYS_ADMIN). What goes away meanwhile is left out. */
export function listLinks(): LinkInfo[] {
  return list("link", readLinkInfo);
}

function list<T>(kind: "program" | "map" | "link", read: (fd: FileDescriptor, object: string) => T): T[] {
  const found: T[] = [];
  for (const id of bpfObjectIds(kind)) {
    try {
      using fd = openBpfObject(kind, id);
      found.push(read(fd, `${kind} ${id}`));
    } catch (error) {
      // EAGAIN: a link that is being made or unmade at this moment.
      if (!isSystemCallError(error, "ENOENT", "EAGAIN")) throw error;
    }
  }
  return found;
}
