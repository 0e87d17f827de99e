// SPDX-License-Identifier: Apache-2.0

import type { RuntimeFunction } from "../runtime/runtime-function.ts";
import type { MapFunction } from "./map-kinds.ts";
import type { MapSpace } from "./map-space.ts";

/** `bpf_ringbuf_submit`, `bpf_ringbuf_discard`, `bpf_perf_event_output`. */
const functions: readonly (readonly [helper: number, name: MapFunction])[] = [
  [132, "ring_submit"],
  [133, "ring_discard"],
  [25, "perf_output"],
];

/** Helpers of maps in C whose first argument is no map, by number. They check what they are given themselves. */
export function runtimeHelpers(space: MapSpace): ReadonlyMap<number, RuntimeFunction> {
  return new Map(functions.map(([helper, name]) => [helper, space.function(name, undefined)]));
}
