// SPDX-License-Identifier: Apache-2.0

import { BPF_F_MMAPABLE, type Codec, ElementMemory, InvalidValueError, MapType, mapTypeName } from "@skep/ebpf";
import type { MapBlock } from "./map-block.ts";

/**
 * The values of an array made with BPF_F_MMAPABLE where they lie; for reading alone when the map is frozen. The memory keeps
 * the map until it is closed. Throws InvalidValueError for other maps.
 */
export function mapArray<V>(block: MapBlock, codec: () => Codec<V>): ElementMemory<V> {
  const { spec, layout, space, object } = block;
  if (spec.type !== MapType.ARRAY || (spec.flags & BPF_F_MMAPABLE) === 0) {
    throw new InvalidValueError(
      `${object} is of type ${mapTypeName(spec.type)} with flags ${spec.flags}; only arrays made with BPF_F_MMAPABLE can be mapped`,
    );
  }
  const writable = !block.frozen;
  block.hold();
  if (writable) block.writableMappings++;
  return new ElementMemory({
    bytes: space.memory.slice(block.elements, layout.stride * spec.maxEntries),
    size: spec.valueSize,
    codec,
    writable,
    object,
    release: () => {
      if (writable) block.writableMappings--;
      block.release();
    },
  });
}
