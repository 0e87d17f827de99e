// SPDX-License-Identifier: Apache-2.0

import { ClosedError, type IteratorReader } from "@skep/ebpf";
import { addressOf, type FileDescriptor, isSystemCallError, systemCall } from "@skep/linux";

/** More than a record that one run of a program can write: the kernel's buffer has eight pages. */
const chunkSize = 1 << 16;

/** A walk of an iterator: each read runs the program for as many objects as fit. */
export class KernelIterator implements IteratorReader {
  readonly #fd: FileDescriptor;
  readonly #object: string;

  /** Takes over the descriptor. */
  constructor(fd: FileDescriptor, object: string) {
    this.#fd = fd;
    this.#object = object;
  }

  read(target: Uint8Array): number {
    if (this.#fd.number === -1) throw new ClosedError(this.#object);
    for (;;) {
      try {
        return systemCall("read", this.#object, this.#fd.number, addressOf(target), target.length);
      } catch (error) {
        // The kernel hands over after a million objects that wrote nothing, so that it is not busy for too long.
        if (!isSystemCallError(error, "EAGAIN")) throw error;
      }
    }
  }

  bytes(): Uint8Array {
    const chunks: Uint8Array[] = [];
    for (;;) {
      const chunk = new Uint8Array(chunkSize);
      const length = this.read(chunk);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, length));
    }
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }

  close(): void {
    this.#fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
