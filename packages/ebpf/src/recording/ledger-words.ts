// SPDX-License-Identifier: Apache-2.0

import type { MapSpec } from "../map-spec.ts";

/** Whether a map holds counters that only grow: 64-bit words under key 0 of a map named `…_ledger`. */
export function isLedger(spec: Pick<MapSpec, "name" | "keySize" | "valueSize">): boolean {
  return spec.name.endsWith("_ledger") && spec.keySize > 0 && spec.valueSize > 0 && spec.valueSize % 8 === 0;
}

/** Adds values of counters word by word; they are little-endian and of one length. */
export function sumOfWords(values: readonly Uint8Array[]): Uint8Array {
  const sum = new Uint8Array(values[0]?.length ?? 0);
  const view = new DataView(sum.buffer);
  for (const value of values) {
    const words = new DataView(value.buffer, value.byteOffset, value.byteLength);
    for (let at = 0; at + 8 <= sum.length; at += 8) {
      view.setBigUint64(at, view.getBigUint64(at, true) + words.getBigUint64(at, true), true);
    }
  }
  return sum;
}
