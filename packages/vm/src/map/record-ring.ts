// SPDX-License-Identifier: Apache-2.0

import type { RecordLease } from "@skep/ebpf";
import type { VmMemory } from "../memory/vm-memory.ts";
import { MAP_HEADER_SIZE, MapWord } from "./map-header.ts";

/** BPF_RINGBUF_BUSY_BIT: reserved, not yet submitted or discarded. */
export const BUSY = 0x8000_0000;
/** BPF_RINGBUF_DISCARD_BIT. */
export const DISCARD = 0x4000_0000;
/** Bytes before each record. */
export const RECORD_HEADER_SIZE = 8;

/**
 * The consumer's side of a ring of records (bpf/maps-ring.bpf.c): positions in a `struct vm_map`, which only grow, and the
 * data, as long again as the ring for records that begin near its end.
 */
export class RecordRing {
  /** Bytes of the ring. */
  readonly size: number;
  /** Records that were discarded since it was made. */
  discarded = 0;
  readonly #consumer: BigInt64Array;
  readonly #producer: Int32Array;
  readonly #headers: Uint32Array;
  readonly #fence = new Int32Array(1);
  /** What is added to an offset in the data to make it one in the batch's bytes. */
  readonly #base: number;
  #position: number;
  #committed: number;

  /** `base`: where the data begins in the bytes of the batches. */
  constructor(memory: VmMemory, address: number, data: number, size: number, base: number) {
    const at = memory.index(address);
    this.size = size;
    this.#consumer = new BigInt64Array(memory.wasm.buffer, at + MapWord.CONSUMER * 4, 1);
    // The lower half of the position: see #available.
    this.#producer = new Int32Array(memory.wasm.buffer, at, MAP_HEADER_SIZE / 4);
    this.#headers = new Uint32Array(memory.wasm.buffer, memory.index(data), (2 * size) / 4);
    this.#base = base;
    this.#position = Number(Atomics.load(this.#consumer, 0));
    this.#committed = this.#position;
  }

  /** Notes where records are, from the `count`th place of the batch on, up to `most` in all; returns how many it then has. */
  scan({ offsets, lengths }: RecordLease, from: number, most: number): number {
    const headers = this.#headers;
    const mask = this.size - 1;
    let available = this.#available();
    // Right above 2^32 too: `&` takes a number modulo 2^32, and a ring is smaller than that.
    let offset = (this.#position & mask) >>> 0;
    let consumed = 0;
    let count = from;
    while (available > 0 && count < most) {
      const header = headers[offset >>> 2] ?? BUSY;
      if ((header & BUSY) !== 0) break;
      const length = header & ~DISCARD;
      const step = (length + RECORD_HEADER_SIZE + 7) & ~7;
      if ((header & DISCARD) === 0) {
        offsets[count] = this.#base + offset + RECORD_HEADER_SIZE;
        lengths[count] = length;
        count++;
      } else {
        this.discarded++;
      }
      offset = (offset + step) & mask;
      consumed += step;
      available -= step;
    }
    this.#position += consumed;
    // The headers were read without ordering, which is several times faster than an Atomics.load each. A full fence
    // between the last header and the first byte of data gives what acquire loads would.
    Atomics.store(this.#fence, 0, 0);
    Atomics.load(this.#fence, 0);
    return count;
  }

  /** Gives back what was scanned. */
  commit(): void {
    if (this.#position === this.#committed) return;
    Atomics.store(this.#consumer, 0, BigInt(this.#position));
    this.#committed = this.#position;
  }

  /**
   * Bytes between our position and the producer's. The lower halves tell: they are never further apart than the ring is
   * large. The load is an acquire, so headers up to there are initialised.
   */
  #available(): number {
    return (Atomics.load(this.#producer, MapWord.PRODUCER) - this.#position) >>> 0;
  }
}
