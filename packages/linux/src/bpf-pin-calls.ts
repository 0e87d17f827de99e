// SPDX-License-Identifier: Apache-2.0

import { readlinkSync } from "node:fs";
import { AttrBuffer } from "./attr-buffer.ts";
import { bpf } from "./bpf.ts";
import { BpfCommand } from "./bpf-command.ts";
import type { BpfObjectKind } from "./bpf-object-calls.ts";
import { FileDescriptor } from "./file-descriptor.ts";

/** What a descriptor opened from a pin may do with the map: BPF_F_RDONLY, BPF_F_WRONLY (4.15), or both. */
export type PinAccess = "read-write" | "read-only" | "write-only";

const accessFlags: Readonly<Record<PinAccess, number>> = {
  "read-write": 0,
  "read-only": 1 << 3,
  "write-only": 1 << 4,
};

/** BPF_OBJ_PIN (4.4): gives a map, program or link a name in a mounted BPF file system. EEXIST when it is taken. */
export function pinBpfObject(fd: FileDescriptor, path: string, object?: string): void {
  bpf(BpfCommand.OBJ_PIN, new AttrBuffer(16).pointer(0, pathBytes(path)).i32(8, fd.number), object ?? path);
}

/** BPF_OBJ_GET (4.4): opens what is pinned at a path. ENOENT when nothing is. */
export function openPinnedBpfObject(path: string, access: PinAccess = "read-write"): FileDescriptor {
  const attr = new AttrBuffer(16).pointer(0, pathBytes(path)).u32(12, accessFlags[access]);
  return new FileDescriptor(bpf(BpfCommand.OBJ_GET, attr, path));
}

// The names that the kernel gives to the anonymous inodes of kernel/bpf/syscall.c and kernel/bpf/btf.c.
const kinds: Readonly<Record<string, BpfObjectKind>> = {
  "anon_inode:bpf-map": "map",
  "anon_inode:bpf-prog": "program",
  // One when it is made, the other when it is opened.
  "anon_inode:bpf_link": "link",
  "anon_inode:bpf-link": "link",
  "anon_inode:btf": "btf",
};

/** What a descriptor is of, by its name in /proc; undefined when it is of nothing that bpf(2) makes. */
export function bpfObjectKind(fd: FileDescriptor): BpfObjectKind | undefined {
  return kinds[readlinkSync(`/proc/self/fd/${fd.number}`).replaceAll(/[[\]]/g, "")];
}

function pathBytes(path: string): Uint8Array {
  return Buffer.from(`${path}\0`);
}
