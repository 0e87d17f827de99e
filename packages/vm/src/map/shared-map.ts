// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, type MapSpec, mapTypeName } from "@skep/ebpf";

/** A map that another worker made: where it is and what it is like. Can be posted to a thread. */
export interface SharedMap {
  /** Completed; without what the map was filled with. */
  readonly spec: MapSpec;
  /** Of `struct vm_map`. */
  readonly address: number;
  /** Where its elements were allocated. */
  readonly allocation: number;
  readonly lockOffset: number | undefined;
  readonly frozen: boolean;
}

/** Throws InvalidValueError when a completed spec wants another map than there is. */
export function requireAlike(shared: SharedMap, wanted: MapSpec, lockOffset: number | undefined): void {
  const [there, here] = [describe(shared.spec, shared.lockOffset), describe(wanted, lockOffset)];
  if (there !== here) throw new InvalidValueError(`map "${wanted.name}": the engine's is ${there}; wanted is ${here}`);
}

function describe(spec: MapSpec, lockOffset: number | undefined): string {
  const { type, keySize, valueSize, maxEntries, flags, extra } = spec;
  const sizes = `${keySize} and ${valueSize} bytes, ${maxEntries} entries, flags ${flags}, map_extra ${extra}`;
  return `${mapTypeName(type)}, ${sizes}, ${lockOffset === undefined ? "no lock" : `a lock at ${lockOffset}`}`;
}
