// SPDX-License-Identifier: Apache-2.0

import { type CollectionSpec, type Engine, load, recordOf } from "@skep/ebpf";

/** What a run of a program of `packages/vm/test-objects/map-programs.bpf.c` led to. */
export interface MapProgramRun {
  readonly returned: number;
  /** What it noted, as signed numbers. */
  readonly noted: readonly number[];
  /** Records that it sent, as hexadecimal. */
  readonly records?: readonly string[];
  /** Whether the ring or the perf buffer counted losses. */
  readonly lost?: number;
}

/** What Linux 6.18 does, by program. Error numbers are negated; -1 stands for no value. */
export const mapProgramRuns: Readonly<Record<string, MapProgramRun>> = {
  jumped: { returned: 56, noted: [1234] },
  use_hash: { returned: 0, noted: [-1, 0, -17, -2, -22, -22, 50, 0, 50, 60, 0, 0, 0, 0, 0, 0, 0, -7, 0, 0, -2, -1, 0] },
  use_percpu: { returned: 0, noted: [0, -17, 30, 30, -1, 0, 33, 33, -1, 0, -22] },
  use_array: { returned: 0, noted: [0, -1, 0, -17, 0, -7, -22, -22, 72] },
  use_lru: { returned: 0, noted: [0, 999, -1, -17, -2, 0, -2] },
  use_trie: { returned: 0, noted: [0, 0, -22, 2, 1, -1, 0, -2, -22, 1] },
  use_keyless: {
    returned: 0,
    noted: [
      -2, 0, 0, 0, -7, -22, 0, 0, 2, 0, 3, 0, -2, 0, -2, 0, 0, 0, -7, -22, 0, 0, 3, 0, 2, 0, -2, 0, -2, 0, -22, 0,
    ],
  },
  use_ring: {
    returned: 0,
    noted: [0, -22, 56, 4096, 0, 56, 0, 1],
    records: ["01000000000000000200000000000000", "0500000000"],
    lost: 0,
  },
  fill_ring: {
    returned: 0,
    noted: [...Array<number>(31).fill(0), ...Array<number>(9).fill(-11)],
    records: Array<string>(31).fill(`09${"00".repeat(119)}`),
    lost: 0,
  },
  use_perf: {
    returned: 0,
    noted: [0, 0, -7],
    records: ["887766554433221100000000", "887766554400000000000000"],
    lost: 0,
  },
  use_perf_packet: {
    returned: 0,
    noted: [0, 0, -14, -22],
    records: [`2211${packet(5)}0000000000`, `2211${packet(64)}0000`],
    lost: 0,
  },
  use_perf_traced: { returned: 0, noted: [0, -22], records: ["22110000"], lost: 0 },
  use_for_each: { returned: 0, noted: [3, 3000, 1001, 3, 3030, 5, 4, 1, 0, 5, -22] },
  remove_each: { returned: 0, noted: [8, 0, 0] },
  use_outer: { returned: 0, noted: [-1, -1, 0, 90, -2, -1, 0, 90, -2, -1, 90, -17, 90, -2, -1] },
  use_jumps: { returned: 56, noted: [1, 1234] },
  use_locks: { returned: 0, noted: [0, -17, 0, 13, 1, 0, 0, 4, -2, -7] },
};

/** Loads the object anew and runs one of its programs, with a reader open where it sends records. */
export function runMapProgram(engine: Engine, spec: CollectionSpec, name: string): MapProgramRun {
  using collection = load(spec, { engine });
  const { program } = collection.program(name);
  if (program.run === undefined) throw new Error(`engine ${engine.name} runs nothing`);
  const sends = name === "use_ring" || name === "fill_ring" ? "ring" : name.startsWith("use_perf") ? "perf" : undefined;
  using reader = sends === undefined ? undefined : collection.map(sends).records();
  const { returned } = program.run(
    name === "use_perf_traced" ? {} : { data: Uint8Array.from({ length: 64 }, (_, i) => i) },
  );
  const count = Number(collection.variable("count").get());
  const noted = (collection.variable("noted").get() as readonly bigint[]).slice(0, count).map(Number);
  if (reader === undefined) return { returned, noted };
  const batch = reader.poll();
  const records = Array.from({ length: batch?.count ?? 0 }, (_, i) => batch && hex(recordOf(batch, i)));
  return { returned, noted, records: records as string[], lost: batch?.lost ?? 0 };
}

/** Its first bytes, as hexadecimal. */
function packet(length: number): string {
  return hex(Uint8Array.from({ length }, (_, i) => i));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
