// SPDX-License-Identifier: Apache-2.0

import { MapType } from "@skep/ebpf";
import { MapWord } from "../map/map-header.ts";
import type { VmMap } from "../map/vm-map.ts";
import type { VmMemory } from "../memory/vm-memory.ts";

/** The element of a map that an address lies in. */
export interface MapElement {
  /** Of an array; undefined of a hash map. */
  readonly index: number | undefined;
  /** Where the key lies; of an array nowhere, 0. */
  readonly key: number;
  /** Where the value lies. */
  readonly value: number;
}

/** The element in whose value an address lies; undefined when there is none, or the map is neither an array nor a hash map. */
export function elementOf(memory: VmMemory, map: VmMap, address: number): MapElement | undefined {
  const field = (word: number) => memory.view.getUint32(memory.index(map.address) + word * 4, true);
  const first = field(MapWord.ELEMENTS);
  const stride = field(MapWord.STRIDE);
  const elements = field(MapWord.MAX_ENTRIES);
  if (address < first) return undefined;
  switch (map.spec.type) {
    case MapType.ARRAY: {
      const index = Math.floor((address - first) / stride);
      return index < elements ? { index, key: 0, value: first + index * stride } : undefined;
    }
    case MapType.HASH:
    case MapType.LRU_HASH: {
      // An element ends with its key, rounded up to 8, and its value.
      const size = field(MapWord.ELEMENT_SIZE);
      const start = first + Math.floor((address - first) / size) * size;
      const value = start + size - stride;
      const key = value - Math.ceil(field(MapWord.KEY_SIZE) / 8) * 8;
      return address >= value ? { index: undefined, key, value } : undefined;
    }
    default:
      return undefined;
  }
}
