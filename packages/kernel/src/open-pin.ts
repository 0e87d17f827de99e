// SPDX-License-Identifier: Apache-2.0

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { InvalidValueError } from "@skep/ebpf";
import {
  type BpfObjectKind,
  bpfObjectKind,
  FileDescriptor,
  isSystemCallError,
  openPinnedBpfObject,
  type PinAccess,
} from "@skep/linux";

/** A name in a BPF file system and what it holds. */
export interface Pin {
  readonly path: string;
  readonly kind: BpfObjectKind;
}

/** Opens a pin. Throws InvalidValueError when it holds something of another kind, ENOENT when there is none. */
export function openPin(path: string, kind: BpfObjectKind, access?: PinAccess): FileDescriptor {
  const fd = openPinnedBpfObject(path, access);
  const found = bpfObjectKind(fd);
  if (found === kind) return fd;
  fd.close();
  throw new InvalidValueError(`${path} is the pin of a ${found ?? "thing unknown"}, a ${kind} is wanted`);
}

/** Takes over a descriptor that this process was given. One of another kind stays the caller's: InvalidValueError. */
export function takeDescriptor(number: number, kind: BpfObjectKind): FileDescriptor {
  const fd = new FileDescriptor(number);
  const found = bpfObjectKind(fd);
  if (found === kind) return fd;
  throw new InvalidValueError(`descriptor ${number} is of a ${found ?? "thing unknown"}, a ${kind} is wanted`);
}

/** Every pin below a directory of a BPF file system, by path. Whatever goes away meanwhile is left out. */
export function listPins(directory: string): Pin[] {
  const pins: Pin[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const kind = kindOf(path);
    if (kind !== undefined) pins.push({ path, kind });
  }
  return pins.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function kindOf(path: string): BpfObjectKind | undefined {
  try {
    using fd = openPinnedBpfObject(path);
    return bpfObjectKind(fd);
  } catch (error) {
    // Iterators such as maps.debug are files in it that are no pins: the kernel answers EACCES.
    if (isSystemCallError(error, "ENOENT", "EACCES")) return undefined;
    throw error;
  }
}
