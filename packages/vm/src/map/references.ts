// SPDX-License-Identifier: Apache-2.0

import { type Codec, InvalidValueError, LoadedProgram, MapType, mapTypeName } from "@skep/ebpf";
import type { MapBlock } from "./map-block.ts";
import { MapErrno, MapError } from "./map-error.ts";
import type { Holdable } from "./map-space.ts";

/** A program as an array of programs holds it. */
export interface TableEntry extends Holdable {
  /** Of the program in the engine's function table; not 0. */
  readonly tableIndex: number;
}

/** A socket or another object of the engine, as a map holds it and hands it to programs. */
export interface AddressedObject extends Holdable {
  /** In the engine's memory; not 0. */
  readonly address: number;
}

/** What a map makes of references that are handles of maps. */
export interface MapHandles {
  /** The block behind a handle; undefined when it is none, or of another engine. Throws ClosedError for a closed one. */
  blockOf(value: unknown): MapBlock | undefined;
  /** A new handle, which whoever asked for it closes. */
  open(block: MapBlock): unknown;
}

interface Held {
  readonly object: unknown;
  readonly release: () => void;
  count: number;
}

/**
 * What a map of references holds: maps, programs, sockets, each a number in memory. Whatever is in the map is held by it, so
 * that its number stays good.
 */
export class References {
  readonly #block: MapBlock;
  readonly #handles: MapHandles;
  readonly #held = new Map<number, Held>();
  /** What was encoded last and may be put in next. */
  #offered: { readonly word: number; readonly object: unknown } | undefined;

  constructor(block: MapBlock, handles: MapHandles) {
    this.#block = block;
    this.#handles = handles;
    block.onFree.push(() => {
      for (const { release } of this.#held.values()) release();
    });
  }

  /** Values as their numbers. */
  codec(): Codec<unknown> {
    const size = this.#block.spec.valueSize;
    return {
      size,
      decode: (bytes, offset) => this.#object(new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true)),
      encode: (value, bytes, offset) => {
        const word = this.#wordOf(value);
        bytes.fill(0, offset, offset + size);
        new DataView(bytes.buffer, bytes.byteOffset).setUint32(offset, word, true);
        this.#offered = { word, object: value instanceof LoadedProgram ? value.program : value };
      },
    };
  }

  /** Why a number cannot be put in: 0, or an error number negated. */
  check(word: number): number {
    const { spec, space } = this.#block;
    if (!this.#holdsMaps()) return word === 0 ? -MapErrno.EINVAL : 0;
    const inner = space.blockAt(word);
    const pattern = spec.inner;
    if (inner === undefined || pattern === undefined) return -MapErrno.EINVAL;
    const { type, keySize, valueSize, flags, maxEntries } = inner.spec;
    // bpf_map_meta_equal, and array_map_meta_equal.
    const alike =
      type === pattern.type &&
      keySize === pattern.keySize &&
      valueSize === pattern.valueSize &&
      flags === pattern.flags;
    const array = type === MapType.ARRAY || type === MapType.PERCPU_ARRAY;
    const anySize = !array || (flags & INNER_MAP) !== 0;
    return alike && (anySize || maxEntries === pattern.maxEntries) ? 0 : -MapErrno.EINVAL;
  }

  /** A number was put in. */
  put(word: number): void {
    const held = this.#held.get(word);
    if (held !== undefined) {
      held.count++;
      return;
    }
    this.#held.set(word, { ...this.#keep(word), count: 1 });
  }

  /** A number was taken out. */
  drop(word: number): void {
    const held = this.#held.get(word);
    // A program put it there.
    if (held === undefined || --held.count > 0) return;
    this.#held.delete(word);
    held.release();
  }

  #keep(word: number): Omit<Held, "count"> {
    const inner = this.#holdsMaps() ? this.#block.space.blockAt(word) : undefined;
    if (inner !== undefined) {
      inner.hold();
      return { object: inner, release: () => inner.release() };
    }
    const object = this.#offered?.word === word ? this.#offered.object : undefined;
    const hold = (object as Holdable | undefined)?.hold?.();
    return { object, release: () => hold?.[Symbol.dispose]() };
  }

  /** What user space sees of a number: the object that it put in, or the number itself when a program did. */
  #object(word: number): unknown {
    if (this.#holdsMaps()) {
      const inner = this.#block.space.blockAt(word);
      if (inner === undefined) throw new MapError(this.#block.object, "lookup", MapErrno.ENOENT);
      return this.#handles.open(inner);
    }
    return this.#held.get(word)?.object ?? word;
  }

  #holdsMaps(): boolean {
    const { type } = this.#block.spec;
    return type === MapType.ARRAY_OF_MAPS || type === MapType.HASH_OF_MAPS;
  }

  #wordOf(value: unknown): number {
    const { spec, object } = this.#block;
    const shown = typeof value === "object" ? "the object given" : String(value);
    if (this.#holdsMaps()) {
      const inner = this.#handles.blockOf(value);
      if (inner !== undefined) return inner.address;
      throw new InvalidValueError(`${object} holds maps of its engine; ${shown} is none`);
    }
    const target = value instanceof LoadedProgram ? value.program : value;
    const name = spec.type === MapType.PROG_ARRAY ? "tableIndex" : "address";
    if (typeof target === "object" && target !== null && name in target) {
      const word = (target as Record<string, unknown>)[name];
      if (typeof word === "number" && word > 0 && word <= 0xffff_ffff) return word;
    }
    const what = spec.type === MapType.PROG_ARRAY ? "programs" : "sockets";
    throw new InvalidValueError(`${object} (${mapTypeName(spec.type)}) holds ${what} of its engine; ${shown} is none`);
  }
}

const INNER_MAP = 1 << 12;
