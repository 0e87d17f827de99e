// SPDX-License-Identifier: Apache-2.0

import { ClosedError, ElementMemory, InvalidValueError, type MapMemory, type MapSpec, rawCodec } from "@skep/ebpf";
import { type FileDescriptor, MappedMemory, pageSize } from "@skep/linux";

/** The kernel addresses an arena with 32 bits (arena_map_alloc, kernel/bpf/arena.c). */
const LARGEST = 2 ** 32;

/**
 * An arena (6.9) in this process's memory. The kernel takes the address of the first mapping for that of the arena, writes
 * it into the programs, and lets nobody map it elsewhere: so there is one mapping, made before the programs are loaded,
 * and it stays for as long as the map or a memory of it is open. Pages are the arena's when they are first touched.
 */
export class ArenaMapping implements Disposable {
  readonly #memory: MappedMemory;
  readonly #object: string;
  #holders = 1;
  #closed = false;

  /** At `map_extra`, when the map has one. */
  constructor(fd: FileDescriptor, spec: Readonly<MapSpec>) {
    this.#object = `map "${spec.name}"`;
    const length = spec.maxEntries * pageSize();
    if (length > LARGEST) throw new InvalidValueError(`${this.#object}: ${spec.maxEntries} pages are more than 4 GiB`);
    const address = spec.extra === 0n ? {} : { address: Number(spec.extra) };
    this.#memory = new MappedMemory({ fd: fd.number, length, writable: true, object: this.#object, ...address });
  }

  /** Puts the object's variables at the arena's beginning. Every page that they take is the arena's from then on. */
  write(contents: Uint8Array): void {
    this.#checkOpen();
    const bytes = new Uint8Array(this.#memory.buffer);
    if (contents.length > bytes.length) {
      throw new InvalidValueError(
        `${this.#object}: its variables take ${contents.length} bytes, the arena has ${bytes.length}`,
      );
    }
    bytes.set(contents);
  }

  /** The whole arena; its elements are pages. */
  share<V>(): MapMemory<V> {
    this.#checkOpen();
    this.#holders++;
    return new ElementMemory({
      bytes: new Uint8Array(this.#memory.buffer),
      size: pageSize(),
      codec: () => rawCodec(pageSize()),
      writable: true,
      object: this.#object,
      release: () => this.#release(),
    }) as ElementMemory<unknown> as MapMemory<V>;
  }

  /** Unmaps it once every memory that was shared is closed, too. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError(`memory of ${this.#object}`);
  }

  #release(): void {
    this.#holders--;
    if (this.#holders === 0) this.#memory.close();
  }
}
