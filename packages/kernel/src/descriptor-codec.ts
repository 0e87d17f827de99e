// SPDX-License-Identifier: Apache-2.0

import { ClosedError, type Codec, InvalidValueError, LoadedProgram } from "@skep/ebpf";
import { FileDescriptor } from "@skep/linux";

/**
 * Values that the kernel takes as a descriptor, of 4 or 8 bytes: maps, programs, sockets, cgroups. `encode` takes
 * the object, or a descriptor's number. What comes back is not the descriptor: it is opened by `open`, or else it
 * is the number that the kernel shows, an id (4 bytes) or a socket's cookie (8 bytes, a bigint).
 */
export function descriptorCodec(
  size: number,
  map: string,
  open: ((id: number) => unknown) | undefined,
): Codec<unknown> {
  return {
    size,
    decode: (bytes, offset) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset + offset, size);
      if (size === 8) return view.getBigUint64(0, true);
      const id = view.getUint32(0, true);
      return open === undefined ? id : open(id);
    },
    encode: (value, bytes, offset) => {
      const fd = descriptorOf(value);
      if (fd === undefined || fd < 0) {
        throw new InvalidValueError(
          `map "${map}" holds open maps, programs, sockets or cgroups; ${show(value)} is none`,
        );
      }
      bytes.fill(0, offset, offset + size);
      new DataView(bytes.buffer, bytes.byteOffset + offset, size).setInt32(0, fd, true);
    },
  };
}

function descriptorOf(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isInteger(value) ? value : undefined;
  // The type of a map of sockets is that of what it shows: 64 bits.
  if (typeof value === "bigint") return value <= 0x7fff_ffffn ? Number(value) : undefined;
  if (value instanceof FileDescriptor) {
    if (value.number === -1) throw new ClosedError("the descriptor given");
    return value.number;
  }
  if (value instanceof LoadedProgram) return descriptorOf(value.program);
  // Maps, programs and Node's socket handles all carry their descriptor as `fd`.
  if (typeof value === "object" && value !== null && "fd" in value) return descriptorOf(value.fd);
  return undefined;
}

function show(value: unknown): string {
  return typeof value === "object" ? "the object given" : String(value);
}
