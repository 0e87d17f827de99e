// SPDX-License-Identifier: Apache-2.0

import { ClosedError, InvalidValueError, type MapSpec } from "@skep/ebpf";
import { type FileDescriptor, MappedMemory, pageSize } from "@skep/linux";

/** BPF_RINGBUF_BUSY_BIT: reserved, not yet submitted or discarded. */
const BUSY = 0x8000_0000;
/** BPF_RINGBUF_DISCARD_BIT: to be stepped over. */
const DISCARD = 0x4000_0000;
const HEADER_SIZE = 8;

/** Room for one record. Exactly one of `submit` and `discard` ends it; records go out in the order of reservation. */
export interface UserRingSlot {
  /** The record's memory, in the ring itself; empty once the slot has ended. Not zeroed. */
  readonly bytes: Uint8Array;
  submit(): void;
  discard(): void;
}

/**
 * Writes records to a user ring buffer (6.1; kernel/bpf/ringbuf.c), which programs take with
 * `bpf_user_ringbuf_drain`. Here user space is the producer: its position and the data are its to write, the
 * consumer's position is the kernel's. There is one writer a map.
 */
export class UserRingWriter implements Disposable {
  readonly #object: string;
  readonly #resources: DisposableStack;
  readonly #consumer: Int32Array;
  readonly #producer: BigInt64Array;
  readonly #headers: Int32Array;
  readonly #data: Uint8Array;
  readonly #size: number;
  readonly #open = new Set<Slot>();
  #position: number;

  /** The mappings keep the map alive. */
  constructor(map: FileDescriptor, spec: Readonly<MapSpec>) {
    this.#object = `writer of map "${spec.name}"`;
    const object = `map "${spec.name}"`;
    const page = pageSize();
    const size = spec.maxEntries;
    using building = new DisposableStack();
    const theirs = building.use(new MappedMemory({ fd: map.number, length: page, object }));
    const own = building.use(
      new MappedMemory({ fd: map.number, offset: page, length: page + 2 * size, writable: true, object }),
    );
    this.#consumer = new Int32Array(theirs.buffer, 0, 1);
    this.#producer = new BigInt64Array(own.buffer, 0, 1);
    // The data is mapped twice in a row, so that a record that wraps lies in one piece.
    this.#headers = new Int32Array(own.buffer, page, (2 * size) / 4);
    this.#data = new Uint8Array(own.buffer, page, 2 * size);
    this.#size = size;
    this.#position = Number(Atomics.load(this.#producer, 0));
    // A slot that stays busy would hold up the program for ever.
    building.defer(() => {
      for (const slot of this.#open) slot.discard();
    });
    this.#resources = building.move();
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#resources.disposed;
  }

  /** Bytes that are free now; a record takes its length and 8, rounded up to a multiple of 8. */
  get available(): number {
    this.#checkOpen();
    // Lower halves tell the distance, which is no more than the ring's size.
    return this.#size - ((this.#position - Atomics.load(this.#consumer, 0)) >>> 0);
  }

  /** Room for a record of `length` bytes; undefined when the programs have not made room for it yet. */
  reserve(length: number): UserRingSlot | undefined {
    this.#checkOpen();
    if (!Number.isInteger(length) || length < 1 || length + HEADER_SIZE > this.#size) {
      throw new InvalidValueError(
        `${this.#object}: a record of ${length} bytes, 1 to ${this.#size - HEADER_SIZE} fit into the ring`,
      );
    }
    const step = (length + HEADER_SIZE + 7) & ~7;
    if (step > this.available) return undefined;
    const offset = (this.#position & (this.#size - 1)) >>> 0;
    const index = offset >>> 2;
    this.#headers[index + 1] = 0;
    Atomics.store(this.#headers, index, length | BUSY);
    this.#position += step;
    // A release of all 64 bits: whoever sees the position sees the busy header.
    Atomics.store(this.#producer, 0, BigInt(this.#position));
    const slot = new Slot(this.#data.subarray(offset + HEADER_SIZE, offset + HEADER_SIZE + length), (discard) => {
      this.#open.delete(slot);
      Atomics.store(this.#headers, index, discard ? length | DISCARD : length);
    });
    this.#open.add(slot);
    return slot;
  }

  /** Writes one record; false when there is no room for it yet. */
  write(record: Uint8Array): boolean {
    const slot = this.reserve(record.length);
    if (slot === undefined) return false;
    slot.bytes.set(record);
    slot.submit();
    return true;
  }

  /** Discards what is reserved and not submitted, and gives the memory back. What was submitted stays. */
  close(): void {
    this.#resources.dispose();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.closed) throw new ClosedError(this.#object);
  }
}

class Slot implements UserRingSlot {
  #bytes: Uint8Array;
  #end: ((discard: boolean) => void) | undefined;

  constructor(bytes: Uint8Array, end: (discard: boolean) => void) {
    this.#bytes = bytes;
    this.#end = end;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  submit(): void {
    this.#finish(false);
  }

  discard(): void {
    this.#finish(true);
  }

  #finish(discard: boolean): void {
    const end = this.#end;
    if (end === undefined) throw new ClosedError("slot of a user ring buffer");
    this.#end = undefined;
    this.#bytes = new Uint8Array(0);
    end(discard);
  }
}
