// SPDX-License-Identifier: Apache-2.0

import { type Codec, ElementMemory, InvalidValueError, type MapSpec, MapType, mapTypeName } from "@skep/ebpf";
import { type FileDescriptor, isSystemCallError, MappedMemory, pageSize } from "@skep/linux";

const BPF_F_MMAPABLE = 1 << 10;

/**
 * Maps the values of an array (BPF_F_MMAPABLE, 5.5; kernel/bpf/arraymap.c): for writing, or for reading alone when
 * the map is frozen. The mapping keeps the map alive by itself. Throws InvalidValueError for maps that are not made
 * to be mapped.
 */
export function mapArray<V>(fd: FileDescriptor, spec: Readonly<MapSpec>, codec: () => Codec<V>): ElementMemory<V> {
  const object = `map "${spec.name}"`;
  if (spec.type !== MapType.ARRAY || (spec.flags & BPF_F_MMAPABLE) === 0) {
    throw new InvalidValueError(
      `${object} is of type ${mapTypeName(spec.type)} with flags ${spec.flags}; only arrays made with BPF_F_MMAPABLE can be mapped`,
    );
  }
  const length = Math.ceil(spec.valueSize / 8) * 8 * spec.maxEntries;
  const page = pageSize();
  const options = { fd: fd.number, length: Math.ceil(length / page) * page, object };
  const written = tryWritable(options);
  const memory = written ?? new MappedMemory(options);
  return new ElementMemory({
    bytes: new Uint8Array(memory.buffer, 0, length),
    size: spec.valueSize,
    codec,
    writable: written !== undefined,
    object,
    release: () => memory.close(),
  });
}

function tryWritable(options: { fd: number; length: number; object: string }): MappedMemory | undefined {
  try {
    return new MappedMemory({ ...options, writable: true });
  } catch (error) {
    if (isSystemCallError(error, "EPERM", "EACCES")) return undefined;
    throw error;
  }
}
