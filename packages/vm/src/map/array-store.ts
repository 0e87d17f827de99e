// SPDX-License-Identifier: Apache-2.0

import { isPerCpu, MapType } from "@skep/ebpf";
import type { ElementStore } from "./element-store.ts";
import type { MapBlock } from "./map-block.ts";
import { MapErrno } from "./map-error.ts";
import { ElementFlag } from "./map-flags.ts";
import { giveLock, takeLock } from "./value-lock.ts";

/** Arrays of every kind: JavaScript knows where their values are. Behaviour: kernel/bpf/arraymap.c, devmap.c, cpumap.c. */
export class ArrayStore implements ElementStore {
  readonly #block: MapBlock;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #start: number;
  readonly #count: number;
  readonly #stride: number;
  readonly #size: number;
  /** Parts of a value: one a worker. */
  readonly #parts: number;
  readonly #partBytes: number;

  constructor(block: MapBlock) {
    const { memory, cpus } = block.space;
    this.#block = block;
    this.#bytes = memory.bytes;
    this.#start = memory.index(block.elements);
    this.#words = new Int32Array(memory.wasm.buffer);
    this.#count = block.spec.maxEntries;
    this.#stride = block.layout.stride;
    this.#size = block.spec.valueSize;
    this.#parts = isPerCpu(block.spec.type) ? cpus : 1;
    this.#partBytes = block.layout.workerBytes;
  }

  lookup(key: Uint8Array, value: Uint8Array, lock: boolean): number {
    const index = indexOf(key);
    if (index >= this.#count) return -MapErrno.ENOENT;
    const at = this.#start + index * this.#stride;
    if (this.#block.kind.contents !== "bytes" && Atomics.load(this.#words, at >>> 2) === 0) return -MapErrno.ENOENT;
    if (this.#parts === 1) {
      const word = (at + (this.#block.lockOffset ?? 0)) >>> 2;
      if (lock && !takeLock(this.#words, word, this.#block.space.cpu)) return -MapErrno.EBUSY;
      value.set(this.#bytes.subarray(at, at + this.#size));
      if (lock) giveLock(this.#words, word);
      return 0;
    }
    for (let part = 0; part < this.#parts; part++) {
      const from = at + part * this.#partBytes;
      value.set(this.#bytes.subarray(from, from + this.#stride), part * this.#stride);
    }
    return 0;
  }

  update(key: Uint8Array, value: Uint8Array, flags: number): number {
    const { kind, spec, lockOffset } = this.#block;
    const mode = flags & ~ElementFlag.LOCK;
    if ((flags & ElementFlag.LOCK) !== 0 && lockOffset === undefined) return -MapErrno.EINVAL;
    // Programs and maps are put in as they are (bpf_fd_array_map_update_elem).
    if (kind.contents === "reference" && !hasModes(spec.type) && flags !== 0) return -MapErrno.EINVAL;
    const index = indexOf(key);
    if (index >= this.#count) return -MapErrno.E2BIG;
    const at = this.#start + index * this.#stride;
    if (hasModes(spec.type)) {
      const present = Atomics.load(this.#words, at >>> 2) !== 0;
      if (present && mode === ElementFlag.NOEXIST) return -MapErrno.EEXIST;
      if (!present && mode === ElementFlag.EXIST) return -MapErrno.ENOENT;
    } else if (mode === ElementFlag.NOEXIST) {
      return -MapErrno.EEXIST;
    }
    if (kind.contents === "reference") Atomics.store(this.#words, at >>> 2, wordOf(value));
    else if (lockOffset !== undefined) return this.#writeAround(at, value, lockOffset, flags);
    else if (this.#parts === 1) this.#bytes.set(value, at);
    else this.#writeParts(at, value);
    return 0;
  }

  delete(key: Uint8Array): number {
    const { kind, spec } = this.#block;
    const index = indexOf(key);
    if (kind.contents === "bytes") return -MapErrno.EINVAL;
    const at = this.#start + index * this.#stride;
    if (spec.type === MapType.PROG_ARRAY || spec.type === MapType.ARRAY_OF_MAPS) {
      if (index >= this.#count) return -MapErrno.E2BIG;
      return Atomics.exchange(this.#words, at >>> 2, 0) === 0 ? -MapErrno.ENOENT : 0;
    }
    if (index >= this.#count) return -MapErrno.EINVAL;
    const old = Atomics.exchange(this.#words, at >>> 2, 0);
    return spec.type === MapType.SOCKMAP && old === 0 ? -MapErrno.EINVAL : 0;
  }

  take(): number {
    return -MapErrno.ENOTSUPP;
  }

  next(key: Uint8Array | undefined, next: Uint8Array): number {
    const index = key === undefined ? -1 : indexOf(key);
    if (index === this.#count - 1) return -MapErrno.ENOENT;
    setIndex(next, index >= this.#count ? 0 : index + 1);
    return 0;
  }

  #writeParts(at: number, value: Uint8Array): void {
    for (let part = 0; part < this.#parts; part++) {
      const from = part * this.#stride;
      this.#bytes.set(value.subarray(from, from + this.#size), at + part * this.#partBytes);
    }
  }

  /** Leaves the lock's own word as it is. */
  #writeAround(at: number, value: Uint8Array, lockOffset: number, flags: number): number {
    const lock = (at + lockOffset) >>> 2;
    const locked = (flags & ElementFlag.LOCK) !== 0;
    if (locked && !takeLock(this.#words, lock, this.#block.space.cpu)) return -MapErrno.EBUSY;
    this.#bytes.set(value.subarray(0, lockOffset), at);
    this.#bytes.set(value.subarray(lockOffset + 4), at + lockOffset + 4);
    if (locked) giveLock(this.#words, lock);
    return 0;
  }
}

/** Whether an array of references heeds NOEXIST and EXIST. */
function hasModes(type: number): boolean {
  return type === MapType.SOCKMAP || type === MapType.XSKMAP;
}

/** The first four bytes as a number. */
export function wordOf(bytes: Uint8Array): number {
  return indexOf(bytes) | 0;
}

function indexOf(key: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = key;
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

function setIndex(key: Uint8Array, index: number): void {
  key[0] = index;
  key[1] = index >>> 8;
  key[2] = index >>> 16;
  key[3] = index >>> 24;
}
