// SPDX-License-Identifier: Apache-2.0

import type { MapBlock } from "./map-block.ts";
import { MapWord } from "./map-header.ts";

/** How the reader of a map waits for the programs' signal, from this thread and from others. */
export class RecordSignal {
  readonly #block: MapBlock;
  #end: (() => void) | undefined;

  constructor(block: MapBlock) {
    this.#block = block;
  }

  /** The signals so far: read before the records are looked at, so that none is missed. */
  get seen(): number {
    return Atomics.load(this.#block.words, MapWord.SIGNALS);
  }

  /** Waits until there are more signals than `seen`, the signal aborts, or `end` is called. */
  async wait(seen: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return;
    const block = this.#block;
    const { words } = block;
    const { shared } = block.space.memory;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => resolve();
    this.#end = end;
    block.wakeReader = () => {
      if (this.seen !== seen) end();
    };
    signal?.addEventListener("abort", end);
    Atomics.store(words, MapWord.WAITING, 1);
    block.wakeReader();
    if (shared) {
      const result = Atomics.waitAsync(words, MapWord.SIGNALS, seen);
      if (result.async) result.value.then(end, end);
      else end();
    }
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", end);
      block.wakeReader = undefined;
      this.#end = undefined;
      Atomics.store(words, MapWord.WAITING, 0);
      // What still waits there waits for nothing.
      if (shared) Atomics.notify(words, MapWord.SIGNALS);
    }
  }

  /** Ends a wait. */
  end(): void {
    this.#end?.();
  }
}

/** Wakes the reader of a map, wherever it is, when there was a signal. Costs a load when none waits. */
export function notifyReader(block: MapBlock): void {
  if (Atomics.load(block.words, MapWord.WAITING) === 0) return;
  if (block.wakeReader !== undefined) block.wakeReader();
  else if (block.space.memory.shared) Atomics.notify(block.words, MapWord.SIGNALS);
}
