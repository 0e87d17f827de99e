// SPDX-License-Identifier: Apache-2.0

import { type BpfMap, type Engine, type RecordBatch, RecordDecoder, type RecordReader } from "@skep/ebpf";
import type { RowSchema, StreamWriter } from "@skep/rows";
import { KernelLedger } from "./kernel-ledger.ts";
import type { StreamLayout } from "./stream-layout.ts";

/** What a pump needs of its collector. */
export interface RecordPumpOptions {
  readonly layout: StreamLayout;
  readonly map: BpfMap;
  readonly ledger: BpfMap | undefined;
  readonly engine: Engine;
  readonly node: string;
  readonly workload: string;
}

/** Carries one stream from its map to its writer: reads records by the batch, decodes them into columns, hands them on. */
export class RecordPump {
  readonly #options: RecordPumpOptions;
  readonly #reader: RecordReader;
  readonly #decoder: RecordDecoder;
  readonly #kernel: KernelLedger | undefined;
  readonly #stop = new AbortController();
  #writer: StreamWriter | undefined;
  #running: Promise<void> | undefined;

  /** The schema of the rows that it makes. */
  get schema(): RowSchema {
    return this.#options.layout.schema;
  }

  /** Opens the reader; nothing is read before {@link start}. */
  constructor(options: RecordPumpOptions) {
    const { layout, map, ledger } = options;
    this.#options = options;
    this.#kernel = ledger === undefined ? undefined : new KernelLedger(ledger);
    this.#decoder = new RecordDecoder(layout.time === undefined ? layout.layouts : [layout.time, ...layout.layouts], {
      recordSize: layout.recordSize,
    });
    this.#reader = map.records({ signal: this.#stop.signal });
  }

  /** Connects the stream's ledger and reads until {@link finish}; `failed` is told when reading breaks off on its own. */
  start(writer: StreamWriter, failed: (cause: unknown) => void): void {
    this.#writer = writer;
    writer.ledger.setReader(() => this.#reader.counters);
    const kernel = this.#kernel;
    if (kernel !== undefined) writer.ledger.setKernel(() => kernel.read());
    this.#running = this.#run(writer).catch(failed);
  }

  async #run(writer: StreamWriter): Promise<void> {
    for await (const batch of this.#reader) this.#deliver(batch, writer);
  }

  #deliver(batch: RecordBatch, writer: StreamWriter): void {
    const { layout, engine, node, workload } = this.#options;
    const decoded = this.#decoder.decode(batch, engine.clockOffset());
    writer.ledger.countDecoded(decoded.length, decoded.malformed);
    if (decoded.length === 0) return;
    writer.write({
      schema: layout.schema,
      node,
      workload,
      length: decoded.length,
      time: decoded.time ?? new Float64Array(decoded.length).fill(Date.now() * 1000),
      vectors: layout.time === undefined ? decoded.vectors : decoded.vectors.slice(1),
    });
  }

  /** Stops, delivers what still lies in the buffer, and closes the reader. Detach the programs before. */
  async finish(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    const writer = this.#writer;
    if (writer !== undefined) {
      for (let batch = this.#reader.poll(); batch !== undefined; batch = this.#reader.poll())
        this.#deliver(batch, writer);
      // The maps are about to be closed: the ledger keeps showing what they held last.
      const { read, discarded, lost } = this.#reader.counters;
      const kernel = this.#kernel?.read();
      writer.ledger.setReader(() => ({ read, discarded, lost }));
      if (kernel !== undefined) writer.ledger.setKernel(() => kernel);
    }
    this.close();
  }

  /** Closes the reader; what it has not delivered is given up. */
  close(): void {
    this.#reader.close();
  }
}
