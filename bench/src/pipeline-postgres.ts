// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ColumnBatch, EmbeddedPostgres, type PostgresAddress, PostgresSink } from "@skep/rows";
import { compare, type Measurement, type Report, type Row } from "./benchmark.ts";
import { benchRows, benchSchema, writeTextFile } from "./pipeline-rows.ts";

const rowCount = 1_000_000;
/** Batches that go to the sink in one call: 65,536 rows, as the queue before a sink gathers them. */
const batchesPerWrite = 16;
const rounds = 5;

const stream = "bench_rows";
const table = `skep.${stream}`;
const copied = "skep.bench_copied";
const columns = ["time", "node", "workload", ...benchSchema(stream).columns.map(({ name }) => name)].join(", ");

/**
 * PostgresSink beside psql's `\copy` from a file of text, into tables alike of the same server: logged, with an index
 * on `time`. The file is written before; Skep's time includes the encoding.
 */
export async function comparePostgres(report: Report): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "skep-bench-"));
  try {
    // PostgreSQL may run as another user, who has to get through.
    chmodSync(folder, 0o711);
    await using server = await EmbeddedPostgres.open(join(folder, "data"));
    const psql = new Psql(server.address);
    const file = join(folder, "rows.txt");
    const batches = benchRows(benchSchema(stream), rowCount);
    writeTextFile(file, batches);
    const gathered = Array.from({ length: Math.ceil(batches.length / batchesPerWrite) }, (_, index) =>
      batches.slice(index * batchesPerWrite, (index + 1) * batchesPerWrite),
    );
    return [
      await compareWrites("65,536 rows a transaction", gathered, server.address, psql, file, report),
      await compareWrites("one transaction", [batches], server.address, psql, file, report),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function compareWrites(
  name: string,
  writes: readonly (readonly ColumnBatch[])[],
  address: PostgresAddress,
  psql: Psql,
  file: string,
  report: Report,
): Promise<Row> {
  const ours = async (): Promise<Measurement> => {
    await using sink = new PostgresSink(address);
    await sink.open(benchSchema(stream));
    psql.run("checkpoint");
    const start = performance.now();
    for (const [index, batches] of writes.entries()) await sink.write(batches, index + 1);
    const value = (performance.now() - start) / 1000;
    const checksum = psql.checksum(table);
    psql.run(
      `drop table ${table} cascade; delete from skep.chunks; delete from skep.progress; delete from skep.streams`,
    );
    return { value, checksum };
  };
  const reference = (): Measurement => {
    const types = "time timestamptz not null, node text not null, workload text not null, cgroup numeric(20)";
    const rest = "pid bigint, ppid bigint, uid bigint, port integer, truncated boolean, comm text";
    psql.run(`create table ${copied} (${types}, ${rest}); create index on ${copied} (time)`);
    psql.run("checkpoint");
    const value = psql.copy(`\\copy ${copied} (${columns}) from '${file}'`);
    const checksum = psql.checksum(copied);
    psql.run(`drop table ${copied}`);
    return { value, checksum };
  };
  const title = `columns to PostgreSQL: ${name}`;
  const seconds = await compare({ case: title, unit: "s", ours, reference }, rounds, report);
  return {
    case: title,
    value: rowCount / seconds.value,
    unit: "rows/s",
    reference: rowCount / seconds.reference,
    ratio: seconds.ratio,
  };
}

/** psql, connected anew for every call. */
class Psql {
  readonly #connection: readonly string[];

  constructor(address: PostgresAddress) {
    this.#connection =
      "url" in address ? [address.url] : ["-h", address.socket, "-U", address.user, "-d", address.database];
  }

  /** Runs one argument of `-c` after another; returns what they print. */
  run(...commands: readonly string[]): string {
    const args = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", ...this.#connection];
    return execFileSync("psql", [...args, ...commands.flatMap((command) => ["-c", command])], {
      encoding: "utf8",
      env: { ...process.env, PGOPTIONS: "-c client_min_messages=warning" },
    });
  }

  /** Seconds that a command takes by psql's own `\timing`: without its start and connection. */
  copy(command: string): number {
    const output = this.run("\\timing on", command);
    const milliseconds = /Time: ([\d.]+) ms/.exec(output)?.[1];
    if (milliseconds === undefined) throw new Error(`psql did not say how long it took: ${output}`);
    return Number(milliseconds) / 1000;
  }

  /** A sum over hashes of all rows, whatever their order. Throws when their number is wrong. */
  checksum(name: string): number {
    const hash = "mod(abs(sum(hash_record_extended(row, 0)::numeric)), 9007199254740881)";
    const output = this.run(`select count(*), ${hash} from (select ${columns} from ${name}) row`);
    const [count, checksum] = output.trim().split("|").map(Number);
    if (count !== rowCount || checksum === undefined) throw new Error(`${name} has ${count} rows, not ${rowCount}`);
    return checksum;
  }
}
