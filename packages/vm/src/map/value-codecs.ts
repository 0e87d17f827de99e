// SPDX-License-Identifier: Apache-2.0

import { type Btf, type Codec, codecFor, InvalidValueError, isPerCpu, perCpuCodec, rawCodec } from "@skep/ebpf";
import type { MapBlock } from "./map-block.ts";
import type { References } from "./references.ts";

/** A key and a value outside of the engine's memory, and what turns them into JavaScript and back. */
export interface MapSlots<K, V> {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly keyCodec: Codec<K>;
  readonly valueCodec: Codec<V>;
}

/**
 * Makes them from the types that the map declares; raw bytes where it declares none. Throws InvalidValueError when a type is
 * not of the size that the map has.
 */
export function makeSlots<K, V>(
  block: MapBlock,
  rawValueSize: number,
  btf: Btf | undefined,
  references: References | undefined,
): MapSlots<K, V> {
  const { spec, space } = block;
  const one = references?.codec() ?? codecOf(block, btf, spec.valueTypeId, spec.valueSize, "value");
  const value = isPerCpu(spec.type) ? perCpuCodec(one, space.cpus) : one;
  return {
    key: new Uint8Array(spec.keySize),
    value: new Uint8Array(rawValueSize),
    // K and V are what the caller says that the BTF describes; nothing here could check it.
    keyCodec: codecOf(block, btf, spec.keyTypeId, spec.keySize, "key") as Codec<K>,
    valueCodec: value as Codec<V>,
  };
}

function codecOf(block: MapBlock, btf: Btf | undefined, typeId: number, size: number, what: string): Codec<unknown> {
  if (btf === undefined || typeId === 0) return rawCodec(size) as Codec<unknown>;
  const codec = codecFor(btf, typeId);
  if (codec.size === size) return codec;
  throw new InvalidValueError(`${block.object}: its ${what} is ${size} bytes, the ${what}'s type is ${codec.size}`);
}
