// SPDX-License-Identifier: Apache-2.0

import {
  type Btf,
  type Codec,
  codecFor,
  InvalidValueError,
  isPerCpu,
  type MapSpec,
  MapType,
  perCpuCodec,
  rawCodec,
} from "@skep/ebpf";
import { possibleCpus } from "@skep/linux";
import { descriptorCodec } from "./descriptor-codec.ts";
import { type ElementSlot, elementSlot } from "./element-slot.ts";

/** The key and the value of the operation at hand. */
export interface MapSlots<K, V> {
  readonly key: ElementSlot<K>;
  readonly value: ElementSlot<V>;
}

/** Opens what a map holds by descriptor and shows by id: another map, or a program. */
export type OpenHeld = (id: number) => unknown;

/** Types whose values go in as a descriptor; from some of them an id or a socket's cookie comes back. */
const typesOfDescriptors: ReadonlySet<MapType> = new Set([
  MapType.PROG_ARRAY,
  MapType.ARRAY_OF_MAPS,
  MapType.HASH_OF_MAPS,
  MapType.CGROUP_ARRAY,
  MapType.SOCKMAP,
  MapType.SOCKHASH,
  MapType.XSKMAP,
  MapType.REUSEPORT_SOCKARRAY,
]);

/**
 * Makes them from the types that the map declares; raw bytes where it declares none. Throws InvalidValueError when
 * a type is not of the size that the map has.
 */
export function makeSlots<K, V>(
  spec: MapSpec,
  rawValueSize: number,
  btf: Btf | undefined,
  open: OpenHeld | undefined,
): MapSlots<K, V> {
  const keys = codecOf(btf, spec.keyTypeId, spec.keySize, spec, "key");
  const value = typesOfDescriptors.has(spec.type)
    ? descriptorCodec(spec.valueSize, spec.name, open)
    : codecOf(btf, spec.valueTypeId, spec.valueSize, spec, "value");
  const values = isPerCpu(spec.type) ? perCpuCodec(value, possibleCpus().length) : value;
  // K and V are what the caller says that the BTF describes; nothing here could check it.
  return { key: elementSlot(keys as Codec<K>, spec.keySize), value: elementSlot(values as Codec<V>, rawValueSize) };
}

function codecOf(btf: Btf | undefined, typeId: number, size: number, spec: MapSpec, what: string): Codec<unknown> {
  if (btf === undefined || typeId === 0) return rawCodec(size) as Codec<unknown>;
  const codec = codecFor(btf, typeId);
  if (codec.size !== size) {
    throw new InvalidValueError(
      `map "${spec.name}": its ${what} is ${size} bytes, the ${what}'s type is ${codec.size}`,
    );
  }
  return codec;
}
