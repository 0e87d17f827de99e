// SPDX-License-Identifier: Apache-2.0

import type { ElementStore } from "./element-store.ts";
import type { MapBlock } from "./map-block.ts";
import { MapErrno } from "./map-error.ts";

/** Queues and stacks: a lookup peeks, an update pushes, a take pops, as with the kernel's system calls. */
export class QueueStore implements ElementStore {
  readonly #block: MapBlock;

  constructor(block: MapBlock) {
    this.#block = block;
  }

  lookup(_key: Uint8Array, value: Uint8Array): number {
    return this.#get("peek", value);
  }

  update(_key: Uint8Array, value: Uint8Array, flags: number): number {
    const { space, scratch, address } = this.#block;
    space.memory.bytes.set(value, space.memory.index(scratch));
    return this.#block.call("push")(address, scratch, flags) | 0;
  }

  delete(): number {
    return -MapErrno.EINVAL;
  }

  take(_key: Uint8Array, value: Uint8Array): number {
    return this.#get("pop", value);
  }

  next(): number {
    return -MapErrno.EINVAL;
  }

  #get(name: "peek" | "pop", value: Uint8Array): number {
    const { space, scratch, address, spec } = this.#block;
    const result = this.#block.call(name)(address, scratch) | 0;
    const at = space.memory.index(scratch);
    if (result === 0) value.set(space.memory.bytes.subarray(at, at + spec.valueSize));
    return result;
  }
}

/** Bloom filters: an update adds a value, a lookup says whether `value` may be there. */
export class BloomStore implements ElementStore {
  readonly #block: MapBlock;

  constructor(block: MapBlock) {
    this.#block = block;
  }

  lookup(_key: Uint8Array, value: Uint8Array): number {
    return this.#call("peek", value, 0);
  }

  update(_key: Uint8Array, value: Uint8Array, flags: number): number {
    return this.#call("push", value, flags);
  }

  delete(): number {
    return -MapErrno.EOPNOTSUPP;
  }

  take(): number {
    return -MapErrno.ENOTSUPP;
  }

  next(): number {
    return -MapErrno.EOPNOTSUPP;
  }

  #call(name: "peek" | "push", value: Uint8Array, flags: number): number {
    const { space, scratch, address } = this.#block;
    space.memory.bytes.set(value, space.memory.index(scratch));
    return this.#block.call(name)(address, scratch, flags) | 0;
  }
}
