// SPDX-License-Identifier: Apache-2.0

import type { BpfMap } from "@skep/ebpf";
import type { KernelCounts } from "@skep/rows";
import { CollectorError } from "./collector-error.ts";

/** Bytes of `struct skep_ledger`: seen, filtered, failed, submitted, each a u64. */
const LEDGER_BYTES = 32;

/**
 * Reads the counters that a program keeps in its per-CPU `struct skep_ledger` (skep.bpf.h), summed over the CPUs.
 * Exact up to 2^53.
 */
export class KernelLedger {
  readonly map: BpfMap;
  readonly #key = new Uint8Array(4);
  readonly #value: Uint8Array;
  readonly #words: DataView;

  constructor(map: BpfMap) {
    if (map.spec.valueSize !== LEDGER_BYTES) {
      throw new CollectorError(
        `map "${map.spec.name}": a ledger is ${LEDGER_BYTES} bytes (struct skep_ledger), the map holds ${map.spec.valueSize}`,
      );
    }
    this.map = map;
    this.#value = new Uint8Array(new ArrayBuffer(map.rawValueSize));
    this.#words = new DataView(this.#value.buffer);
  }

  /** The counters at this moment. CPUs are read one after another, so that a reading while events flow is not one instant. */
  read(): KernelCounts {
    const counts = { seen: 0, filtered: 0, failed: 0, submitted: 0 };
    if (!this.map.lookupRaw(this.#key, this.#value)) return counts;
    for (let offset = 0; offset < this.#value.length; offset += LEDGER_BYTES) {
      counts.seen += this.#word(offset);
      counts.filtered += this.#word(offset + 8);
      counts.failed += this.#word(offset + 16);
      counts.submitted += this.#word(offset + 24);
    }
    return counts;
  }

  #word(offset: number): number {
    return this.#words.getUint32(offset, true) + this.#words.getUint32(offset + 4, true) * 2 ** 32;
  }
}
