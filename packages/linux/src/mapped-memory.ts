// SPDX-License-Identifier: Apache-2.0

import { ffi } from "./ffi.ts";
import { systemCall } from "./system-call.ts";

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED_NOREPLACE = 0x10_0000;

/** What to map. */
export interface MappedMemoryOptions {
  readonly fd: number;
  /** Bytes from the start of the file; a multiple of the page size. */
  readonly offset?: number;
  /** Bytes to map. */
  readonly length: number;
  /** Mapped for reading alone unless true. A write to memory mapped for reading ends the process (SIGSEGV). */
  readonly writable?: boolean;
  /** Where it must be; EEXIST when something is mapped there (MAP_FIXED_NOREPLACE, 4.17). The kernel chooses unless given. */
  readonly address?: number;
  /** For files that are never shared, such as those of the kernel's types (MAP_PRIVATE). */
  readonly private?: boolean;
  /** For error messages: `map "events"`. */
  readonly object?: string;
}

/**
 * Memory shared with the kernel by mmap(2), seen as an ArrayBuffer without a copy.
 *
 * No view outlives the mapping: `close()` detaches the buffer first, so that every typed array and DataView
 * over it has length 0 from then on, and unmaps after. A view that was kept reads `undefined`; it does not fault.
 */
export class MappedMemory implements Disposable {
  readonly #address: number;
  readonly #length: number;
  #buffer: ArrayBuffer;

  constructor(options: MappedMemoryOptions) {
    const { fd, offset = 0, length, writable = false, address, object } = options;
    const protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const flags = (options.private ? MAP_PRIVATE : MAP_SHARED) | (address === undefined ? 0 : MAP_FIXED_NOREPLACE);
    this.#address = systemCall("mmap", object, address ?? 0, length, protection, flags, fd, offset);
    this.#length = length;
    try {
      this.#buffer = ffi().view(this.#address, length);
    } catch (error) {
      systemCall("munmap", object, this.#address, length);
      throw error;
    }
  }

  /** The memory; detached (length 0) once closed. */
  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  /** Detaches every view and unmaps. A second call does nothing. */
  close(): void {
    if (this.#buffer.detached) return;
    // transfer() detaches without a copy: its result would have the same memory, or none when its length is 0.
    this.#buffer.transfer(0);
    systemCall("munmap", undefined, this.#address, this.#length);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
