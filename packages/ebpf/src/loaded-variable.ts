// SPDX-License-Identifier: Apache-2.0

import type { MapMemory } from "./bpf-map.ts";
import type { Codec } from "./codec.ts";
import { InvalidValueError, SkepError } from "./errors.ts";
import type { VariableSpec } from "./variable-spec.ts";

/**
 * A global variable of a loaded object, in the memory that it shares with the programs (5.5): neither a read nor a
 * write costs a system call. A variable of 1, 2, 4 or 8 bytes at its natural alignment is read and written in one
 * piece; of a larger one a program may see a part that is old and a part that is new.
 */
export class LoadedVariable<T = unknown> {
  readonly spec: VariableSpec;
  readonly #memory: () => MapMemory;
  readonly #codec: Codec<T>;
  readonly #scratch: Uint8Array;

  /** `memory` gives the mapping of the variable's section, or throws once that is closed. */
  constructor(spec: VariableSpec, memory: () => MapMemory, codec: Codec<T>) {
    this.spec = spec;
    this.#memory = memory;
    this.#codec = codec;
    this.#scratch = new Uint8Array(new ArrayBuffer(Math.ceil(spec.size / 8) * 8));
  }

  /** Its value now, as its codec decodes it; bytes when BTF does not describe it. */
  get(): T {
    this.#move(this.#memory().bytes, this.spec.offset, this.#scratch, 0);
    return this.#codec.decode(this.#scratch, 0);
  }

  /**
   * Changes it for the programs that run. Throws InvalidValueError for a value that does not fit, and for constants:
   * those are given to `load`.
   */
  set(value: T): void {
    const { name, map, offset, readOnly } = this.spec;
    if (readOnly) {
      throw new InvalidValueError(`variable "${name}" lies in "${map}", which is frozen; give its value to \`load\``);
    }
    const memory = this.#memory();
    if (!memory.writable) throw new InvalidValueError(`variable "${name}": its map "${map}" was frozen`);
    try {
      this.#codec.encode(value, this.#scratch, 0);
    } catch (cause) {
      if (!(cause instanceof SkepError)) throw cause;
      throw new InvalidValueError(`variable "${name}": ${cause.message}`, { cause });
    }
    this.#move(this.#scratch, 0, memory.bytes, offset);
  }

  #move(from: Uint8Array, fromOffset: number, to: Uint8Array, toOffset: number): void {
    const { size, offset } = this.spec;
    const source = from.byteOffset + fromOffset;
    const target = to.byteOffset + toOffset;
    // One load and one store each. A scratch is aligned always, a section by its page.
    if (size === 8 && offset % 8 === 0) {
      const value = Atomics.load(new BigInt64Array(from.buffer, source, 1), 0);
      Atomics.store(new BigInt64Array(to.buffer, target, 1), 0, value);
    } else if (size === 4 && offset % 4 === 0) {
      const value = Atomics.load(new Int32Array(from.buffer, source, 1), 0);
      Atomics.store(new Int32Array(to.buffer, target, 1), 0, value);
    } else if (size === 2 && offset % 2 === 0) {
      const value = Atomics.load(new Int16Array(from.buffer, source, 1), 0);
      Atomics.store(new Int16Array(to.buffer, target, 1), 0, value);
    } else {
      to.set(from.subarray(fromOffset, fromOffset + size), toOffset);
    }
  }
}
