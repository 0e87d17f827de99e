// SPDX-License-Identifier: Apache-2.0

import { isPerCpu, MapType } from "@skep/ebpf";
import type { RuntimeCall } from "../runtime/runtime-function.ts";
import type { ElementStore } from "./element-store.ts";
import type { MapBlock } from "./map-block.ts";
import { MapErrno } from "./map-error.ts";
import { ElementFlag } from "./map-flags.ts";
import { giveLock, takeLock } from "./value-lock.ts";

/** Hash maps of every kind and tries: the functions in C find the elements. */
export class KeyedStore implements ElementStore {
  readonly #block: MapBlock;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #keySize: number;
  readonly #valueSize: number;
  /** Where a key and a value stand that C is to read, as addresses and as indices. */
  readonly #key: number;
  readonly #value: number;
  readonly #keyIndex: number;
  readonly #valueIndex: number;
  readonly #calls: Record<string, RuntimeCall> = {};

  /** Values have `rawValueSize` bytes. */
  constructor(block: MapBlock) {
    const { memory, cpus } = block.space;
    const { spec, layout } = block;
    const perCpu = isPerCpu(spec.type);
    this.#block = block;
    this.#bytes = memory.bytes;
    this.#words = new Int32Array(memory.wasm.buffer);
    this.#keySize = spec.keySize;
    this.#valueSize = perCpu ? layout.stride * cpus : spec.valueSize;
    this.#key = block.scratch;
    this.#value = block.scratch + Math.ceil(spec.keySize / 8) * 8;
    this.#keyIndex = memory.index(this.#key);
    this.#valueIndex = memory.index(this.#value);
  }

  lookup(key: Uint8Array, value: Uint8Array, lock: boolean): number {
    this.#bytes.set(key, this.#keyIndex);
    const found = this.#call("find")(this.#block.address, this.#key);
    if (found === 0) return -MapErrno.ENOENT;
    const at = this.#block.space.memory.index(found);
    const word = (at + (this.#block.lockOffset ?? 0)) >>> 2;
    if (lock && !takeLock(this.#words, word, this.#block.space.cpu)) return -MapErrno.EBUSY;
    value.set(this.#bytes.subarray(at, at + this.#valueSize));
    if (lock) giveLock(this.#words, word);
    return 0;
  }

  update(key: Uint8Array, value: Uint8Array, flags: number): number {
    this.#bytes.set(key, this.#keyIndex);
    this.#bytes.set(value, this.#valueIndex);
    const { type } = this.#block.spec;
    // A device map adds what is to be replaced (dev_map_hash_update_elem).
    const mode = type === MapType.DEVMAP_HASH && flags === ElementFlag.EXIST ? 0 : flags;
    return this.#call("update")(this.#block.address, this.#key, this.#value, mode) | 0;
  }

  delete(key: Uint8Array): number {
    this.#bytes.set(key, this.#keyIndex);
    return this.#call("delete")(this.#block.address, this.#key) | 0;
  }

  take(key: Uint8Array, value: Uint8Array): number {
    if (this.#block.kind.own["take"] === undefined) return -MapErrno.ENOTSUPP;
    this.#bytes.set(key, this.#keyIndex);
    const result = this.#call("take")(this.#block.address, this.#key, this.#value) | 0;
    if (result === 0) value.set(this.#bytes.subarray(this.#valueIndex, this.#valueIndex + this.#valueSize));
    return result;
  }

  next(key: Uint8Array | undefined, next: Uint8Array): number {
    if (key !== undefined) this.#bytes.set(key, this.#keyIndex);
    const found = this.#call("next")(this.#block.address, key === undefined ? 0 : this.#key);
    if (found === 0) return -MapErrno.ENOENT;
    const at = this.#block.space.memory.index(found);
    next.set(this.#bytes.subarray(at, at + this.#keySize));
    return 0;
  }

  #call(name: string): RuntimeCall {
    const known = this.#calls[name];
    if (known !== undefined) return known;
    const call = this.#block.call(name);
    this.#calls[name] = call;
    return call;
  }
}
