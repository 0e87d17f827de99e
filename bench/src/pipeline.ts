// SPDX-License-Identifier: Apache-2.0

import type { RecordDecoder } from "@skep/ebpf";
import { type Benchmark, compare, type Measurement, type Report, type Row } from "./benchmark.ts";
import { compileC } from "./compile-c.ts";
import { foldHashes, hashColumns } from "./pipeline-hash.ts";
import { comparePostgres } from "./pipeline-postgres.ts";
import { PipelineReference } from "./pipeline-reference.ts";
import { drain, PipelineRing, type RecordKind, recordKinds } from "./pipeline-ring.ts";

/** A wall clock for `bpf_ktime_get_ns`, in ns: the same for both sides, and not a whole microsecond. */
const clockOffset = 1_767_225_600_000_000_123n;
/** V8's last compiler takes its time with loops that are entered once a batch: after so many it has got to all of them. */
const warmUpBatches = 12_000;
const rounds = 101;

/** The way of an event through Skep in two stretches: from a ring buffer to columns, and from columns to PostgreSQL. */
export const pipeline: Benchmark = {
  name: "pipeline",
  description: "a filled ring buffer to decoded columns, beside C; columns to PostgreSQL, beside psql's \\copy",
  reference: "C, psql",
  async run(report) {
    const rows: Row[] = [];
    using reference = compileC("pipeline-ring.c");
    for (const kind of recordKinds) rows.push(await compareRing(kind, reference.path, report));
    rows.push(...(await comparePostgres(report)));
    return rows;
  },
};

/** Each side has a ring of its own and the same records in it, and shows by a hash a column that it decoded them alike. */
async function compareRing(kind: RecordKind, program: string, report: Report): Promise<Row> {
  using ring = new PipelineRing(kind);
  using reader = ring.map.records();
  using referenceRing = new PipelineRing(kind);
  await using reference = new PipelineReference(program, kind, referenceRing, clockOffset);
  const decoder = ring.decoder();
  const ours = (): Measurement => {
    ring.fill(kind.records);
    const start = performance.now();
    const batches = drain(reader, decoder, clockOffset);
    const elapsed = (performance.now() - start) * 1e6;
    const records = batches.reduce((sum, { length }) => sum + length, 0);
    if (records !== kind.records) throw new Error(`${records} of ${kind.records} ${kind.stream} were decoded`);
    return { value: elapsed / records, checksum: foldHashes(hashColumns(batches)) };
  };
  const theirs = async (): Promise<Measurement> => {
    const { nanoseconds, records, hashes } = await reference.round();
    return { value: nanoseconds / records, checksum: foldHashes(hashes) };
  };
  report(`warming up for ${kind.description}`);
  warmUp(kind, decoder);
  return await compare(
    { case: `ring to columns: ${kind.description}`, unit: "ns/record", ours, reference: theirs },
    rounds,
    report,
  );
}

/** Lets the compiler see what will be measured, on a ring of its own: the measured ones hold the same at any time. */
function warmUp(kind: RecordKind, decoder: RecordDecoder): void {
  using ring = new PipelineRing(kind);
  using reader = ring.map.records();
  for (let batches = 0; batches < warmUpBatches; ) {
    ring.fill(kind.records);
    batches += drain(reader, decoder, clockOffset).length;
  }
}
