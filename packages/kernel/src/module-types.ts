// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync, statSync } from "node:fs";
import { type Btf, MalformedError, readSplitBtf } from "@skep/ebpf";
import {
  AttrBuffer,
  bpfObjectIds,
  bpfObjectInfo,
  type FileDescriptor,
  isSystemCallError,
  openBpfObject,
} from "@skep/linux";
import { kernelBtf } from "./kernel-btf.ts";

const directory = "/sys/kernel/btf";

/** The types of a module, split over those of the kernel. */
export interface ModuleTypes {
  readonly module: string;
  readonly btf: Btf;
}

/** By the file's inode number, which another module, or this one loaded again, does not have. */
const known = new Map<number, ModuleTypes>();

/**
 * The types of every module that is loaded (CONFIG_DEBUG_INFO_BTF_MODULES, Linux 5.11), each read when the walk comes to
 * it, and kept while it is loaded. A module whose types are broken, or that goes away meanwhile, is left out.
 */
export function* moduleTypes(): Generator<ModuleTypes> {
  const base = kernelBtf();
  if (base === undefined) return;
  const modules = readdirSync(directory).filter((name) => name !== "vmlinux");
  if (modules.length === 0) known.clear();
  for (const module of modules) {
    const types = typesOf(module, base);
    if (types !== undefined) yield types;
  }
}

function typesOf(module: string, base: Btf): ModuleTypes | undefined {
  try {
    const path = `${directory}/${module}`;
    const { ino } = statSync(path);
    let types = known.get(ino);
    if (types === undefined) {
      types = { module, btf: readSplitBtf(readFileSync(path), base) };
      for (const [other, { module: name }] of known) if (name === module) known.delete(other);
      known.set(ino, types);
    }
    return types;
  } catch (error) {
    const gone = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (gone || error instanceof MalformedError) return undefined;
    throw error;
  }
}

/** Names of kernel modules are shorter (MODULE_NAME_LEN). */
const NAME_SIZE = 64;

/**
 * The descriptor of a module's BTF in the kernel (`vmlinux` for the kernel's own), which instructions that refer to it
 * take; undefined when the module is not loaded any more. Needs CAP_SYS_ADMIN, for going through the ids.
 */
export function openModuleTypes(module: string): FileDescriptor | undefined {
  for (const id of bpfObjectIds("btf")) {
    const fd = openUnlessGone(id);
    if (fd === undefined) continue;
    try {
      if (nameOf(fd) === module) return fd;
    } catch (error) {
      fd.close();
      throw error;
    }
    fd.close();
  }
  return undefined;
}

function openUnlessGone(id: number): FileDescriptor | undefined {
  try {
    return openBpfObject("btf", id);
  } catch (error) {
    if (isSystemCallError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** The name of the kernel's own BTF, `vmlinux` or a module; undefined for that of programs. */
function nameOf(fd: FileDescriptor): string | undefined {
  const name = new Uint8Array(new ArrayBuffer(NAME_SIZE));
  // struct bpf_btf_info: the name's place and length at 16 and 24, whether it is the kernel's at 28 (5.11).
  const info = new AttrBuffer(32).pointer(16, name).u32(24, name.length);
  bpfObjectInfo(fd, info.bytes);
  if (info.getU32(28) === 0) return undefined;
  return Buffer.from(name.subarray(0, Math.max(0, name.indexOf(0)))).toString("latin1");
}
