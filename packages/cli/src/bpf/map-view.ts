// SPDX-License-Identifier: Apache-2.0

import {
  type Codec,
  codecFor,
  InvalidValueError,
  isPerCpu,
  isRecordMap,
  MapType,
  mapTypeName,
  perCpuCodec,
  rawCodec,
} from "@skep/ebpf";
import { type MapInfo, readLoadedBtf } from "@skep/kernel";
import { possibleCpus } from "@skep/linux";
import { chooseMap, chooseProgram, type RawMap } from "./choose-object.ts";
import { parseValue } from "./value-text.ts";

/** Keys of these are an index, also where no BTF says so. */
const indexed: ReadonlySet<MapType> = new Set([
  MapType.ARRAY,
  MapType.PERCPU_ARRAY,
  MapType.PROG_ARRAY,
  MapType.PERF_EVENT_ARRAY,
  MapType.CGROUP_ARRAY,
  MapType.ARRAY_OF_MAPS,
  MapType.DEVMAP,
  MapType.SOCKMAP,
  MapType.CPUMAP,
  MapType.XSKMAP,
  MapType.REUSEPORT_SOCKARRAY,
]);
const mapsOfMaps: ReadonlySet<MapType> = new Set([MapType.ARRAY_OF_MAPS, MapType.HASH_OF_MAPS]);
/** No keys: values go in and come out in an order of the map's own. */
const keyless: ReadonlySet<MapType> = new Set([MapType.QUEUE, MapType.STACK, MapType.BLOOM_FILTER]);

/** An entry as the kernel has it. */
export interface RawEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A map of the kernel as people read and write it: by the types that it was made with, or else as bytes. */
export class MapView implements Disposable {
  readonly map: RawMap;
  readonly info: MapInfo;
  readonly #key: Codec<unknown>;
  readonly #value: Codec<unknown>;

  /** Opens the map that a person means. */
  constructor(text: string) {
    this.map = chooseMap(text);
    try {
      this.info = this.map.info();
      const { type, keySize, valueSize, keyTypeId, valueTypeId, btfId } = this.info;
      const btf = btfId === 0 ? undefined : readLoadedBtf(btfId);
      const codecOf = (typeId: number, size: number): Codec<unknown> => {
        const codec = btf === undefined || typeId === 0 ? undefined : codecFor(btf, typeId);
        return codec?.size === size ? orBytes(codec) : numberOrBytes(size);
      };
      const holdsIds = type === MapType.PROG_ARRAY || mapsOfMaps.has(type);
      const value = holdsIds ? integer(4) : codecOf(valueTypeId, valueSize);
      this.#key = keyTypeId === 0 && indexed.has(type) ? integer(4) : codecOf(keyTypeId, keySize);
      this.#value = isPerCpu(type) ? everyCpu(value, possibleCpus().length) : value;
    } catch (error) {
      this.map.close();
      throw error;
    }
  }

  /** How messages call it. */
  get title(): string {
    return `map ${this.info.id}${this.info.name === "" ? "" : ` (${this.info.name})`}`;
  }

  /** The bytes of a key that a person typed. */
  key(text: string): Uint8Array {
    this.#requireKeys();
    return encode(this.#key, text, `${this.title}, key`);
  }

  /** The bytes of a value that a person typed. */
  value(text: string): Uint8Array {
    return encode(this.#value, text, `${this.title}, value`);
  }

  /** What an entry means. */
  show({ key, value }: RawEntry): { readonly key: unknown; readonly value: unknown } {
    return { key: this.#key.decode(key, 0), value: this.#value.decode(value, 0) };
  }

  /** Every entry, each in bytes of its own. */
  *entries(): Generator<RawEntry> {
    this.#requireKeys();
    for (const key of this.map.keys()) {
      const value = this.lookup(key);
      if (value !== undefined) yield { key, value };
    }
  }

  /** The value of a key, undefined when it is absent. */
  lookup(key: Uint8Array): Uint8Array | undefined {
    const value = new Uint8Array(this.map.rawValueSize);
    return this.map.lookupRaw(key, value) ? value : undefined;
  }

  /** Writes an entry. A program or map to hold is given as `chooseProgram` and `chooseMap` take it. */
  update(key: Uint8Array, text: string, how: "any" | "create" | "replace"): void {
    this.#requireWritable();
    using held = this.#held(text);
    const value = held === undefined ? this.value(text) : new Uint8Array(4);
    if (held !== undefined) new DataView(value.buffer).setInt32(0, held.fd, true);
    this.map.updateRaw(key, value, how);
  }

  /** Removes an entry; whether it was there. */
  delete(key: Uint8Array): boolean {
    this.#requireWritable();
    return this.map.deleteRaw(key);
  }

  [Symbol.dispose](): void {
    this.map.close();
  }

  #held(text: string): (Disposable & { readonly fd: number }) | undefined {
    const { type } = this.info;
    if (mapsOfMaps.has(type)) return chooseMap(text);
    if (type !== MapType.PROG_ARRAY) return undefined;
    const program = chooseProgram(text);
    return { fd: program.fd.number, [Symbol.dispose]: () => program.close() };
  }

  /** The kernel says no more than EPERM. */
  #requireWritable(): void {
    if (this.info.frozen !== true) return;
    throw new InvalidValueError(`${this.title} is frozen: only programs may write it, if anybody`);
  }

  #requireKeys(): void {
    const { type } = this.info;
    if (!isRecordMap(type) && type !== MapType.USER_RINGBUF && type !== MapType.ARENA && !keyless.has(type)) return;
    throw new InvalidValueError(`${this.title} is of type ${mapTypeName(type)}, which has no entries with keys`);
  }
}

function encode(codec: Codec<unknown>, text: string, object: string): Uint8Array {
  const bytes = new Uint8Array(codec.size);
  try {
    const value = parseValue(text);
    // Bytes are taken as they are when they are all of it.
    if (value instanceof Uint8Array && value.length === codec.size) return value;
    codec.encode(value, bytes, 0);
    return bytes;
  } catch (cause) {
    if (!(cause instanceof InvalidValueError)) throw cause;
    throw new InvalidValueError(`${object}: ${cause.message}`, { cause });
  }
}

/** Bytes are taken as they are, whatever the type. */
function orBytes(codec: Codec<unknown>): Codec<unknown> {
  return {
    size: codec.size,
    decode: (bytes, offset) => codec.decode(bytes, offset),
    encode: (value, bytes, offset) => {
      if (value instanceof Uint8Array && value.length === codec.size) bytes.set(value, offset);
      else codec.encode(value, bytes, offset);
    },
  };
}

/** What has no type is bytes; a number may be given for as many as a number has. */
function numberOrBytes(size: number): Codec<unknown> {
  const raw = rawCodec(size);
  return {
    size,
    decode: (bytes, offset) => raw.decode(bytes, offset),
    encode: (value, bytes, offset) => {
      if (value instanceof Uint8Array) raw.encode(value, bytes, offset);
      else if (isWhole(value) && [1, 2, 4, 8].includes(size)) integer(size).encode(value, bytes, offset);
      else
        throw new InvalidValueError(
          `no BTF says what it is: give its ${size} bytes, as hex:${"00".repeat(Math.min(size, 4))}…`,
        );
    },
  };
}

/** A little-endian unsigned integer; a negative one is taken for its two's complement. */
function integer(size: number): Codec<unknown> {
  const bits = size * 8;
  return {
    size,
    decode: (bytes, offset) => {
      let value = 0n;
      for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[offset + i] ?? 0);
      return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
    },
    encode: (value, bytes, offset) => {
      const number = isWhole(value) ? BigInt(value) : undefined;
      if (number === undefined || number >= 1n << BigInt(bits) || number < -(1n << BigInt(bits - 1))) {
        throw new InvalidValueError(`${String(value)} is no integer of ${bits} bits`);
      }
      for (let i = 0; i < size; i++) bytes[offset + i] = Number((number >> BigInt(i * 8)) & 0xffn);
    },
  };
}

function isWhole(value: unknown): value is number | bigint {
  return typeof value === "bigint" || Number.isSafeInteger(value);
}

/** A single value is written for every CPU, a list one for each. */
function everyCpu(value: Codec<unknown>, cpus: number): Codec<unknown> {
  const codec = perCpuCodec(value, cpus);
  return {
    size: codec.size,
    decode: (bytes, offset) => codec.decode(bytes, offset),
    encode: (given, bytes, offset) => {
      const each = Array.isArray(given) && given.length === cpus ? given : new Array<unknown>(cpus).fill(given);
      codec.encode(each, bytes, offset);
    },
  };
}
