// SPDX-License-Identifier: Apache-2.0

import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { kernelVersion } from "@skep/linux";

/** Auxiliary vector: where the kernel's own library (vDSO) is in memory. */
const AT_SYSINFO_EHDR = 33n;
const PT_NOTE = 4;
const HEADER_SIZE = 64;

/**
 * `LINUX_VERSION_CODE` of the running kernel: major << 16 | minor << 8 | patch level, the last at most 255. It comes from
 * the note in the vDSO; where that cannot be read it is made of uname(2), whose patch level distributions often leave
 * at 0.
 */
export function linuxVersionCode(): number {
  const [major, minor, patch] = kernelVersion();
  return versionOfVdso() ?? ((major << 16) | (minor << 8) | Math.min(patch, 255)) >>> 0;
}

function versionOfVdso(): number | undefined {
  const address = vdsoAddress();
  if (address === undefined) return undefined;
  let memory: number;
  try {
    memory = openSync("/proc/self/mem", "r");
  } catch {
    // A process that may not be traced may not read itself this way either.
    return undefined;
  }
  try {
    const read = (offset: number, size: number): Buffer => {
      const bytes = Buffer.alloc(size);
      return bytes.subarray(0, readSync(memory, bytes, 0, size, address + offset));
    };
    return versionNote(read);
  } finally {
    closeSync(memory);
  }
}

/** Finds the note `Linux` of type 0 among the program headers of the ELF image. */
function versionNote(read: (offset: number, size: number) => Buffer): number | undefined {
  const header = read(0, HEADER_SIZE);
  if (header.length < HEADER_SIZE) return undefined;
  const start = Number(header.readBigUInt64LE(32));
  const size = header.readUInt16LE(54);
  for (let i = 0; i < header.readUInt16LE(56); i++) {
    const program = read(start + i * size, 56);
    if (program.length < 56 || program.readUInt32LE(0) !== PT_NOTE) continue;
    const notes = read(Number(program.readBigUInt64LE(8)), Number(program.readBigUInt64LE(32)));
    for (let at = 0; at + 12 <= notes.length; ) {
      const nameSize = notes.readUInt32LE(at);
      const valueSize = notes.readUInt32LE(at + 4);
      const value = at + 12 + Math.ceil(nameSize / 4) * 4;
      const name = notes.toString("latin1", at + 12, at + 12 + nameSize);
      if (name === "Linux\0" && notes.readUInt32LE(at + 8) === 0 && valueSize === 4 && value + 4 <= notes.length) {
        return notes.readUInt32LE(value);
      }
      at = value + Math.ceil(valueSize / 4) * 4;
    }
  }
  return undefined;
}

function vdsoAddress(): number | undefined {
  const words = readFileSync("/proc/self/auxv");
  for (let i = 0; i + 16 <= words.length; i += 16) {
    if (words.readBigUInt64LE(i) === AT_SYSINFO_EHDR) return Number(words.readBigUInt64LE(i + 8));
  }
  return undefined;
}
