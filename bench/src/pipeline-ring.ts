// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type BpfMap, columnsOf, type DecodedBatch, parseObject, RecordDecoder, type RecordReader } from "@skep/ebpf";
import { isSystemCallError, KernelEngine, KernelMap, type KernelProgram } from "@skep/kernel";

const object = join(import.meta.dirname, "../bpf/pipeline.bpf.o");

/** A kind of record that `bench/bpf/pipeline.bpf.c` makes: its stream, and how many fit into the ring at least. */
export interface RecordKind {
  readonly stream: "samples" | "executions";
  readonly program: "make_sample" | "make_execution";
  readonly records: number;
  readonly description: string;
}

/** The kinds; a ring of 4 MiB holds them, each with its header of 8 bytes. */
export const recordKinds: readonly RecordKind[] = [
  {
    stream: "samples",
    program: "make_sample",
    records: 58_000,
    description: "64-byte records, 8 scalar columns",
  },
  {
    stream: "executions",
    program: "make_execution",
    records: 10_600,
    description: "320 to 383-byte records, 6 scalar columns, 2 texts, 1 list of texts",
  },
];

/** A ring buffer, and the program that puts one record into it a run. */
export class PipelineRing implements Disposable {
  readonly map: KernelMap;
  readonly program: KernelProgram;
  readonly #variables: BpfMap;
  readonly #resources: DisposableStack;

  /** Creates the maps that the kind's program refers to, and loads it. Nothing is attached. */
  constructor(kind: RecordKind) {
    using building = new DisposableStack();
    const engine = building.use(new KernelEngine());
    const spec = parseObject(readFileSync(object));
    const programSpec = spec.programs.get(kind.program);
    if (spec.btf === undefined || programSpec === undefined) throw new Error(`${object} lacks ${kind.program}`);
    const types = building.use(engine.loadTypes(spec.btf));
    const maps = new Map<string, BpfMap>();
    for (const { map: name } of programSpec.mapReferences) {
      const mapSpec = spec.maps.get(name);
      if (mapSpec === undefined) throw new Error(`${object} lacks the map ${name}`);
      if (!maps.has(name)) maps.set(name, building.use(engine.createMap(mapSpec, types, spec.btf)));
    }
    const map = maps.get(kind.stream);
    if (!(map instanceof KernelMap)) throw new Error(`${kind.program} does not write to ${kind.stream}`);
    const variables = maps.get(".bss");
    if (variables === undefined) throw new Error(`${kind.program} does not count`);
    this.map = map;
    this.#variables = variables;
    this.program = building.use(
      engine.loadProgram({ spec: programSpec, instructions: programSpec.instructions, maps, types }),
    );
    this.#resources = building.move();
  }

  /** Makes so many records. */
  fill(records: number): void {
    const last = this.#made() + records;
    for (let made = last - records; made < last; made = this.#made()) this.#run(last - made);
  }

  /** Runs the program so often, or less often when a signal interrupts it. */
  #run(times: number): void {
    try {
      const { returned } = this.program.run({ data: new Uint8Array(64), repeat: times });
      if (returned !== 0) throw new Error(`the ring of ${this.map.spec.maxEntries} bytes is full`);
    } catch (error) {
      if (!isSystemCallError(error, "EINTR")) throw error;
    }
  }

  /** `sequence`: the records made since the object was loaded. */
  #made(): number {
    const section = new BigUint64Array(1);
    if (!this.#variables.lookupRaw(new Uint8Array(4), new Uint8Array(section.buffer))) throw new Error("no .bss");
    return Number(section[0]);
  }

  /** What decodes its records, by the BTF of their struct. */
  decoder(): RecordDecoder {
    const { valueTypeId } = this.map.spec;
    const { btf } = parseObject(readFileSync(object));
    if (btf === undefined) throw new Error(`${object} has no BTF`);
    return new RecordDecoder(columnsOf(btf, valueTypeId), { recordSize: btf.sizeOf(valueTypeId) });
  }

  close(): void {
    this.#resources.dispose();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Reads and decodes all that lies in the ring: the work that is measured. */
export function drain(reader: RecordReader, decoder: RecordDecoder, clockOffset: bigint): DecodedBatch[] {
  const batches: DecodedBatch[] = [];
  for (let batch = reader.poll(); batch !== undefined; batch = reader.poll()) {
    batches.push(decoder.decode(batch, clockOffset));
  }
  return batches;
}
