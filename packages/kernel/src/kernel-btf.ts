// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from "node:fs";
import { type Btf, InvalidValueError, readBtf, type TypesHandle } from "@skep/ebpf";
import { FileDescriptor as Descriptor, errnoName, type FileDescriptor, loadBtf, SystemCallError } from "@skep/linux";
import { missingCapability } from "./privileges.ts";

const path = "/sys/kernel/btf/vmlinux";
const logSize = 1 << 16;

let types: Btf | undefined;

/** Whether the kernel shows its own types (CONFIG_DEBUG_INFO_BTF, Linux 5.4). */
export function hasKernelBtf(): boolean {
  return types !== undefined || existsSync(path);
}

/**
 * The kernel's own types, read on first use and kept: they do not change while it runs. Undefined when it was
 * built without them.
 */
export function kernelBtf(): Btf | undefined {
  if (types === undefined && existsSync(path)) types = readBtf(readFileSync(path));
  return types;
}

/** An object's types in the kernel: BTF that maps and programs are loaded with. */
export class LoadedTypes implements TypesHandle {
  /** The descriptor of the BTF. */
  readonly fd: FileDescriptor;

  constructor(btf: Btf) {
    this.fd = loadTypes(btf);
  }

  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function loadTypes(btf: Btf): FileDescriptor {
  const first = loadBtf(btf.bytes);
  if (first >= 0) return new Descriptor(first);
  if (errnoName(-first) === "EPERM") {
    const detail = missingCapability("CAP_BPF");
    throw new SystemCallError({ syscall: "bpf(BPF_BTF_LOAD)", errno: -first, ...(detail !== undefined && { detail }) });
  }
  const log = new Uint8Array(logSize);
  const second = loadBtf(btf.bytes, log);
  if (second >= 0) return new Descriptor(second);
  const end = log.indexOf(0);
  const text = new TextDecoder().decode(log.subarray(0, end === -1 ? log.length : end)).trimEnd();
  const reason = text.slice(text.lastIndexOf("\n") + 1);
  throw new InvalidValueError(`the kernel refused the object's BTF${reason === "" ? "" : `: ${reason}`}`, {
    cause: new SystemCallError({ syscall: "bpf(BPF_BTF_LOAD)", errno: -second }),
  });
}
