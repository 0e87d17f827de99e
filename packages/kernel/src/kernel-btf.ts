// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync, statSync } from "node:fs";
import { type Btf, ClosedError, InvalidValueError, openBtf, readBtf, type TypesHandle } from "@skep/ebpf";
import {
  FileDescriptor as Descriptor,
  errnoName,
  type FileDescriptor,
  isSystemCallError,
  loadBtf,
  MappedMemory,
  SystemCallError,
} from "@skep/linux";
import { kernelImageTypes } from "./kernel-image.ts";
import { openForReading } from "./open-for-reading.ts";
import { plainSectionNames } from "./plain-section-names.ts";
import { missingCapability } from "./privileges.ts";

const path = "/sys/kernel/btf/vmlinux";
const logSize = 1 << 16;

let types: Btf | undefined;
let image: Btf | undefined;

/** Whether the kernel shows its own types (CONFIG_DEBUG_INFO_BTF, Linux 5.4). */
export function hasKernelBtf(): boolean {
  return types !== undefined || existsSync(path);
}

/**
 * The kernel's own types, read on first use and kept: they do not change while it runs. Undefined when it was
 * built without them.
 */
export function kernelBtf(): Btf | undefined {
  if (types === undefined && existsSync(path)) types = openBtf(fileBytes());
  return types;
}

/**
 * The types to relocate against: the kernel's own, or those in its image when it does not show them. Undefined where
 * neither has any.
 */
export function relocationTypes(): Btf | undefined {
  const own = kernelBtf();
  if (own !== undefined || image !== undefined) return own ?? image;
  const bytes = kernelImageTypes();
  if (bytes !== undefined) image = readBtf(bytes);
  return image;
}

/** The file where it lies in the kernel (mapped, 6.16), or a copy, which takes a read(2) a page. It stays mapped. */
function fileBytes(): Uint8Array {
  using fd = openForReading(path, "the kernel's types");
  try {
    const memory = new MappedMemory({ fd: fd.number, length: statSync(path).size, private: true, object: path });
    return new Uint8Array(memory.buffer);
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
    return readFileSync(path);
  }
}

/** An object's types in the kernel: BTF that maps and programs are loaded with. */
export class LoadedTypes implements TypesHandle {
  readonly btf: Btf;
  readonly #fd: FileDescriptor;

  constructor(btf: Btf, tokenFd?: number) {
    this.btf = btf;
    this.#fd = loadTypes(btf, tokenFd);
  }

  /** The descriptor of the BTF. Throws ClosedError once it was given up. */
  get fd(): FileDescriptor {
    if (this.#fd.number === -1) throw new ClosedError("an object's types");
    return this.#fd;
  }

  close(): void {
    this.#fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function loadTypes(btf: Btf, tokenFd: number | undefined): FileDescriptor {
  const first = loadBtf(btf.bytes, undefined, tokenFd);
  if (first >= 0) return new Descriptor(first);
  if (errnoName(-first) === "EPERM") {
    const detail = missingCapability("CAP_BPF");
    throw new SystemCallError({ syscall: "bpf(BPF_BTF_LOAD)", errno: -first, ...(detail !== undefined && { detail }) });
  }
  const log = new Uint8Array(logSize);
  const second = loadBtf(plainSectionNames(btf) ?? btf.bytes, log, tokenFd);
  if (second >= 0) return new Descriptor(second);
  const end = log.indexOf(0);
  const text = new TextDecoder().decode(log.subarray(0, end === -1 ? log.length : end)).trimEnd();
  const reason = text.slice(text.lastIndexOf("\n") + 1);
  throw new InvalidValueError(`the kernel refused the object's BTF${reason === "" ? "" : `: ${reason}`}`, {
    cause: new SystemCallError({ syscall: "bpf(BPF_BTF_LOAD)", errno: -second }),
  });
}
