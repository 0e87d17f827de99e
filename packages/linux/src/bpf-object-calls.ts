// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { bpf, bpfError, bpfResult } from "./bpf.ts";
import { BpfCommand } from "./bpf-command.ts";
import { errnoName } from "./errno.ts";
import { FileDescriptor } from "./file-descriptor.ts";
import { processCapabilities } from "./process-capabilities.ts";
import type { SystemCallError } from "./system-call-error.ts";

/** What the kernel numbers: programs, maps, BTF and links. */
export type BpfObjectKind = "program" | "map" | "btf" | "link";

const nextId = {
  program: BpfCommand.PROG_GET_NEXT_ID,
  map: BpfCommand.MAP_GET_NEXT_ID,
  btf: BpfCommand.BTF_GET_NEXT_ID,
  link: BpfCommand.LINK_GET_NEXT_ID,
} as const;

const fdById = {
  program: BpfCommand.PROG_GET_FD_BY_ID,
  map: BpfCommand.MAP_GET_FD_BY_ID,
  btf: BpfCommand.BTF_GET_FD_BY_ID,
  link: BpfCommand.LINK_GET_FD_BY_ID,
} as const;

const ENOENT = 2;

/** Ids of every program, map, BTF or link in the kernel, ascending. Needs CAP_SYS_ADMIN. */
export function* bpfObjectIds(kind: BpfObjectKind): Generator<number> {
  const attr = new AttrBuffer(12);
  for (let id = 0; ; ) {
    attr.u32(0, id).u32(4, 0);
    const result = bpfResult(nextId[kind], attr.address, attr.size);
    if (result === -ENOENT) return;
    if (result < 0) throw refused(nextId[kind], -result, undefined);
    id = attr.getU32(4);
    yield id;
  }
}

/** Opens an object by its id. Needs CAP_SYS_ADMIN; ENOENT when it has gone. */
export function openBpfObject(kind: BpfObjectKind, id: number): FileDescriptor {
  // The field would take what is left of a larger number: another object's id.
  if (id !== id >>> 0) throw refused(fdById[kind], ENOENT, `${kind} ${id}`);
  const attr = new AttrBuffer(12).u32(0, id);
  const result = bpfResult(fdById[kind], attr.address, attr.size);
  if (result < 0) throw refused(fdById[kind], -result, `${kind} ${id}`);
  return new FileDescriptor(result);
}

/** Ids are for those who may see everything. */
function refused(command: BpfCommand, errno: number, object: string | undefined): SystemCallError {
  const lacking = errnoName(errno) === "EPERM" && !processCapabilities().has("CAP_SYS_ADMIN");
  return bpfError(command, errno, object, lacking ? "this process lacks CAP_SYS_ADMIN" : undefined);
}

/**
 * BPF_OBJ_GET_INFO_BY_FD (4.13): fills `info` with `struct bpf_map_info`, `bpf_prog_info`, `bpf_btf_info` or
 * `bpf_link_info` and returns how many of its bytes the kernel knows.
 */
export function bpfObjectInfo(fd: FileDescriptor, info: Uint8Array, object?: string): number {
  const attr = new AttrBuffer(16).i32(0, fd.number).u32(4, info.length).pointer(8, info);
  bpf(BpfCommand.OBJ_GET_INFO_BY_FD, attr, object);
  return attr.getU32(4);
}
