// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, NotSupportedError } from "@skep/ebpf";
import { Heap } from "./heap.ts";

/**
 * Where addresses begin. Byte i of the memory has the address `ADDRESS_BASE + i`, so that a null pointer with any offset of
 * an instruction leads to no memory, without a check.
 */
export const ADDRESS_BASE = 0x1_0000;

/** How a program may touch a region. */
export type RegionAccess = "none" | "read" | "write";

/** What an engine's memory is to be like. */
export interface VmMemoryOptions {
  /** Bytes; they cost nothing until they are used. */
  readonly size: number;
  /** Width of a WebAssembly address. 64 faults on every wild 64-bit pointer by itself; 32 checks each. */
  readonly addressBits: 32 | 64;
  /** Whether workers can share it (SharedArrayBuffer). */
  readonly shared: boolean;
  /** Whether programs are confined to regions that were opened, by one check an access. */
  readonly regions: boolean;
}

/** A part of the memory of an engine in another thread, to be allocated from here. Can be posted to a thread. */
export interface MemoryPart {
  readonly wasm: WebAssembly.Memory;
  readonly regions: WebAssembly.Memory | undefined;
  readonly addressBits: 32 | 64;
  readonly address: number;
  readonly size: number;
}

/**
 * The memory that the programs of an engine share: their stacks, contexts, packets and maps. It never grows, so views over it
 * stay good.
 *
 * Addresses are what programs see: numbers from {@link ADDRESS_BASE} to less than 2^32.
 *
 * With regions, a second memory holds a byte for each 8 bytes: how many of them from the first on may be touched (0 to 8),
 * and 128 more when they may only be read.
 */
export class VmMemory {
  readonly wasm: WebAssembly.Memory;
  /** The memory of regions; undefined without. */
  readonly regions: WebAssembly.Memory | undefined;
  readonly addressBits: 32 | 64;
  readonly shared: boolean;
  /** Whether all of it is allocated from here; else a part, and the rest in another thread. */
  readonly whole: boolean;
  /** All of it: the byte at an address is `bytes[address - ADDRESS_BASE]`. */
  readonly bytes: Uint8Array;
  /** All of it; little-endian as programs are. */
  readonly view: DataView;
  readonly #shadow: Uint8Array | undefined;
  readonly #heap: Heap;

  /** New memory, or a shared one of which this thread allocates its part, which is cleared. */
  constructor(options: VmMemoryOptions | MemoryPart) {
    if ("wasm" in options) {
      this.addressBits = options.addressBits;
      this.shared = true;
      this.whole = false;
      this.wasm = options.wasm;
      this.bytes = new Uint8Array(this.wasm.buffer);
      this.view = new DataView(this.wasm.buffer);
      this.regions = options.regions;
      if (this.regions !== undefined) this.#shadow = new Uint8Array(this.regions.buffer);
      this.#heap = new Heap(options.address, options.size);
      // A thread that was ended may have left something.
      this.#clear(options.address, options.size);
      return;
    }
    const pages = Math.ceil(options.size / 65536);
    if (!(pages >= 8 && pages <= 65532)) {
      throw new InvalidValueError(`an engine's memory is ${options.size} bytes; wanted are 512 KiB to 4 GiB - 256 KiB`);
    }
    this.addressBits = options.addressBits;
    this.shared = options.shared;
    this.whole = true;
    this.wasm = makeMemory(pages, options.addressBits, options.shared);
    this.bytes = new Uint8Array(this.wasm.buffer);
    this.view = new DataView(this.wasm.buffer);
    if (options.regions) {
      this.regions = makeMemory(regionPages(pages), 32, options.shared);
      this.#shadow = new Uint8Array(this.regions.buffer);
    }
    this.#heap = new Heap(ADDRESS_BASE, this.bytes.length);
  }

  /** Index in {@link VmMemory.bytes} of an address. */
  index(address: number): number {
    return address - ADDRESS_BASE;
  }

  /**
   * Bytes of the memory for a map, a stack or a packet, zeroed, closed to programs. Throws NotSupportedError with what there
   * is when they do not fit.
   */
  allocate(size: number, alignment = 8): number {
    const address = this.#heap.allocate(size, alignment);
    if (address === undefined) {
      throw new NotSupportedError(
        `${size} bytes in an engine's memory of ${this.#heap.size} bytes, ${this.#heap.used} of them used; make the engine with more \`memory\``,
      );
    }
    return address;
  }

  /** Gives back what `allocate` gave, zeroed and closed. */
  free(address: number): void {
    this.#clear(address, this.#heap.free(address));
  }

  #clear(address: number, size: number): void {
    this.setRegion(address, size, "none");
    this.bytes.fill(0, this.index(address), this.index(address) + size);
  }

  /** Bytes in use. */
  get used(): number {
    return this.#heap.used;
  }

  /** A view of memory; throws InvalidValueError where there is none. */
  slice(address: number, length: number): Uint8Array {
    const index = address - ADDRESS_BASE;
    if (!(index >= 0 && length >= 0 && index + length <= this.bytes.length)) {
      throw new InvalidValueError(`there is no memory of ${length} bytes at 0x${address.toString(16)}`);
    }
    return this.bytes.subarray(index, index + length);
  }

  /**
   * Lets programs touch a region, or no longer; nothing without regions. `address` is a multiple of 8, and what is beyond
   * the length up to the next multiple of 8 is closed.
   */
  setRegion(address: number, length: number, access: RegionAccess): void {
    const shadow = this.#shadow;
    if (shadow === undefined) return;
    const first = (address - ADDRESS_BASE) >>> 3;
    const whole = length >>> 3;
    const flag = access === "read" ? READ_ONLY : 0;
    shadow.fill(access === "none" ? 0 : 8 | flag, first, first + whole);
    if ((length & 7) !== 0) shadow[first + whole] = access === "none" ? 0 : (length & 7) | flag;
  }

  /** Gives `count - 1` spans of `size` bytes, a multiple of 8, that follow one the regions that it has. */
  repeatRegion(address: number, size: number, count: number): void {
    const shadow = this.#shadow;
    if (shadow === undefined) return;
    const first = (address - ADDRESS_BASE) >>> 3;
    const all = (size / 8) * count;
    for (let done = size / 8; done < all; done *= 2) {
      shadow.copyWithin(first + done, first, first + Math.min(done, all - done));
    }
  }

  /** Whether a program may touch all of these bytes; where there are no regions, whether there is memory. */
  mayAccess(address: number, length: number, access: "read" | "write"): boolean {
    const index = address - ADDRESS_BASE;
    if (!(index >= 0 && length >= 0 && index + length <= this.bytes.length)) return false;
    const shadow = this.#shadow;
    if (shadow === undefined || length === 0) return true;
    const last = index + length - 1;
    for (let granule = index >>> 3; granule <= last >>> 3; granule++) {
      const state = shadow[granule] ?? 0;
      if (access === "write" && (state & READ_ONLY) !== 0) return false;
      const end = granule === last >>> 3 ? (last & 7) + 1 : 8;
      if ((state & 15) < end) return false;
    }
    return true;
  }
}

/** Pages of the regions of so many pages: a power of two, so that whatever index a mask leaves is in it. */
export function regionPages(pages: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, pages / 8)));
}

/** Flag of a region's byte: as a signed number it is less than any count. */
export const READ_ONLY = 128;

function makeMemory(pages: number, bits: 32 | 64, shared: boolean): WebAssembly.Memory {
  const wide = bits === 64;
  // Pages of a 64-bit memory are bigints, which the types do not know yet.
  const count = (wide ? BigInt(pages) : pages) as number;
  const descriptor = { initial: count, maximum: count, shared, ...(wide && { address: "i64" }) };
  return new WebAssembly.Memory(descriptor as WebAssembly.MemoryDescriptor);
}
