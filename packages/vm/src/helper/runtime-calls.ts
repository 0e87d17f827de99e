// SPDX-License-Identifier: Apache-2.0

import type { VmMap } from "../map/vm-map.ts";

/**
 * What helpers in JavaScript call of those in C. Arguments and results are the lower 32 bits, results unsigned: addresses, or
 * negative error numbers as `-ENOENT >>> 0`.
 */
export interface RuntimeCalls {
  /** A function of a map, by the number of the helper whose r1 it is; the map itself is left out of the arguments. */
  map(map: VmMap, id: number, ...args: readonly number[]): number;
  /** A helper that is no map's, by its number. */
  helper(id: number, ...args: readonly number[]): number;
}
