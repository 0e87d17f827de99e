// SPDX-License-Identifier: Apache-2.0

import type { BpfMap, Engine, ReaderCounters, RecordBatch, RecordDecoder, RecordReader } from "@skep/ebpf";
import type { KernelCounts, StreamWriter } from "@skep/rows";
import type { KernelLedger } from "./kernel-ledger.ts";
import type { StreamLayout } from "./stream-layout.ts";

/** What a pump needs of its collector. */
export interface RecordPumpOptions {
  readonly map: BpfMap;
  readonly engine: Engine;
  readonly node: string;
  readonly workload: string;
  /** Told when reading breaks off on its own. */
  readonly failed: (cause: unknown) => void;
}

/** Where the records of a map go: how they are decoded, and who takes the rows. */
export interface Route {
  readonly layout: StreamLayout;
  readonly decoder: RecordDecoder;
  /** What the program counts; undefined when it keeps no ledger. */
  readonly kernel: KernelLedger | undefined;
  readonly writer: StreamWriter;
}

const NOTHING: KernelCounts = { seen: 0, filtered: 0, failed: 0, submitted: 0 };

/**
 * Carries the records of one map into rows: reads them by the batch, decodes them into columns, hands them to a
 * writer. It may be sent along another route while it runs: no record is lost or doubled, and each route's ledger has
 * what was counted on it.
 */
export class RecordPump {
  readonly map: BpfMap;
  readonly #options: RecordPumpOptions;
  readonly #reader: RecordReader;
  readonly #stop = new AbortController();
  #route: Route | undefined;
  /** What had been counted when the route began. */
  #kernelBefore: KernelCounts = NOTHING;
  #readBefore: ReaderCounters = { read: 0, discarded: 0, lost: 0 };
  #running: Promise<void> = Promise.resolve();

  /** Opens the reader; nothing is read before {@link send}. */
  constructor(options: RecordPumpOptions) {
    this.map = options.map;
    this.#options = options;
    this.#reader = options.map.records({ signal: this.#stop.signal });
  }

  /** Sends what is read from now on along a route, and begins to read if it has not. */
  send(route: Route): void {
    const before = this.#route;
    const continues = before?.kernel !== undefined && before.kernel.map === route.kernel?.map;
    const [kernel, read] = this.#endRoute();
    this.#kernelBefore = continues && kernel !== undefined ? kernel : NOTHING;
    this.#readBefore = read;
    this.#route = route;
    const { ledger } = route.writer;
    ledger.setReader(() => since(this.#reader.counters, read));
    const { kernel: counters } = route;
    const kernelBefore = this.#kernelBefore;
    if (counters !== undefined) ledger.setKernel(() => since(counters.read(), kernelBefore));
    if (before === undefined) this.#running = this.#run();
  }

  /** Delivers what lies in the buffer at this moment. Detach the programs before, and it is all that there will be. */
  drain(): void {
    for (let batch = this.#reader.poll(); batch !== undefined; batch = this.#reader.poll()) this.#deliver(batch);
  }

  /** Stops reading and closes the reader; what it has not delivered is given up. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#endRoute();
    this.#route = undefined;
    this.#reader.close();
  }

  async #run(): Promise<void> {
    try {
      for await (const batch of this.#reader) this.#deliver(batch);
    } catch (cause) {
      this.#options.failed(cause);
    }
  }

  #deliver(batch: RecordBatch): void {
    const { engine, node, workload } = this.#options;
    const route = this.#route;
    if (route === undefined) return;
    const { layout, decoder, writer } = route;
    const decoded = decoder.decode(batch, engine.clockOffset());
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

  /** Fixes the ledger of the route that ends: its maps may be closed. Returns what the maps and the reader had counted. */
  #endRoute(): [KernelCounts | undefined, ReaderCounters] {
    const read = { ...this.#reader.counters };
    const kernel = this.#route?.kernel?.read();
    const ledger = this.#route?.writer.ledger;
    if (ledger !== undefined) {
      const readOnRoute = since(read, this.#readBefore);
      ledger.setReader(() => readOnRoute);
      const countedOnRoute = kernel === undefined ? undefined : since(kernel, this.#kernelBefore);
      ledger.setKernel(() => countedOnRoute);
    }
    return [kernel, read];
  }
}

/** What was counted since `before`, key by key. */
function since<T extends object>(now: T, before: T): T {
  const earlier = new Map<string, number>(Object.entries(before));
  return Object.fromEntries(Object.entries(now).map(([key, value]) => [key, value - (earlier.get(key) ?? 0)])) as T;
}
