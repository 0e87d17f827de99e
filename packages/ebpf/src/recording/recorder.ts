// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget } from "../attach-target.ts";
import type { BpfMap } from "../bpf-map.ts";
import type { Btf } from "../btf/btf.ts";
import type { Capabilities, Engine, Link, LoadableProgram, Program, TypesHandle } from "../engine.ts";
import { ClosedError, InvalidValueError } from "../errors.ts";
import type { KernelConfig } from "../kernel-config.ts";
import type { MapSpec } from "../map-spec.ts";
import { isRecordMap, mapTypeName } from "../map-type.ts";
import type { RecordedObject } from "./format.ts";
import { isLedger, sumOfWords } from "./ledger-words.ts";
import { RecordingMap, type RecordingSink } from "./recording-map.ts";
import { RecordingWriter, type WriteChunk } from "./recording-writer.ts";

/** Least time of the engine's clock between two snapshots of the ledgers: nanoseconds. */
const SNAPSHOT_INTERVAL = 250_000_000n;

/** What a recording is made of and where it goes. */
export interface RecordingEngineOptions {
  readonly write: WriteChunk;
  /** Name of this machine. */
  readonly node: string;
  /** Kernel release. */
  readonly kernel: string;
  /** Possible CPUs. */
  readonly cpus: number;
  /** The object files that will be loaded; see `identifyObject`. */
  readonly objects: readonly RecordedObject[];
  /** The engine's clock in nanoseconds; made of the wall clock and `clockOffset()` unless given. */
  readonly clock?: () => bigint;
}

/** A map of the recording, and those of the engine that are recorded as it. */
interface RecordedEntry {
  readonly index: number;
  readonly spec: Readonly<MapSpec>;
  readonly ledger: boolean;
  readonly open: Set<RecordingMap>;
  /** What the ledgers that were closed had counted: the recorded counters never go back. */
  readonly carried: Uint8Array[];
}

/**
 * An engine that records what another one observes: all goes to that one, and every batch that a reader of its
 * maps delivers goes into the recording first. Maps whose name ends in `_ledger` are written beside them: at most
 * every 250 ms while records come, and when a reader, such a map or this engine is closed.
 *
 * An error thrown by `write` reaches whoever was reading. Closing this engine closes the other one.
 */
export class RecordingEngine implements Engine {
  readonly #engine: Engine;
  readonly #writer: RecordingWriter;
  readonly #clockSource: () => bigint;
  /** By map name: a workload that is loaded again goes on with the same maps of the recording. */
  readonly #entries = new Map<string, RecordedEntry>();
  #clock = 0n;
  #snapshotAt = 0n;
  #closed = false;

  constructor(engine: Engine, options: RecordingEngineOptions) {
    this.#engine = engine;
    this.#clockSource = options.clock ?? engineClock(engine.clockOffset());
    this.#writer = new RecordingWriter(
      {
        version: 1,
        created: new Date().toISOString(),
        node: options.node,
        kernel: options.kernel,
        cpus: options.cpus,
        clockOffset: engine.clockOffset(),
        objects: options.objects,
      },
      options.write,
    );
  }

  get name(): string {
    return this.#engine.name;
  }

  get capabilities(): Capabilities {
    return this.#engine.capabilities;
  }

  clockOffset(): bigint {
    return this.#engine.clockOffset();
  }

  kernelTypes(): Btf | undefined {
    return this.#engine.kernelTypes();
  }

  moduleTypes(): Iterable<Btf> {
    return this.#engine.moduleTypes?.() ?? [];
  }

  kernelConfig(): KernelConfig | undefined {
    return this.#engine.kernelConfig?.();
  }

  loadTypes(btf: Btf): TypesHandle | undefined {
    return this.#engine.loadTypes(btf);
  }

  createMap(
    spec: MapSpec,
    types: TypesHandle | undefined,
    btf: Btf | undefined,
    programs?: ReadonlyMap<string, Program>,
  ): BpfMap {
    if (this.#closed) throw new ClosedError("the recorder of an engine");
    if (!isRecordMap(spec.type) && !isLedger(spec)) return this.#engine.createMap(spec, types, btf, programs);
    const entry = this.#entryOf(spec);
    const map = new RecordingMap(this.#engine.createMap(spec, types, btf), this.#sinkOf(entry));
    entry.open.add(map);
    return map;
  }

  loadProgram(program: LoadableProgram): Program {
    // The engine knows the maps that it made, not those that stand before them.
    const maps = new Map<string, BpfMap>();
    for (const [name, map] of program.maps) maps.set(name, map instanceof RecordingMap ? map.inner : map);
    return this.#engine.loadProgram({ ...program, maps });
  }

  attach(program: Program, target: AttachTarget): Link {
    return this.#engine.attach(program, target);
  }

  attachStructOps(map: BpfMap): Link {
    return this.#engine.attachStructOps(map);
  }

  close(): void {
    if (this.#closed) return;
    try {
      this.#snapshot();
      this.#writer.end(this.#now());
    } finally {
      this.#closed = true;
      this.#engine.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #entryOf(spec: MapSpec): RecordedEntry {
    const known = this.#entries.get(spec.name);
    if (known === undefined) {
      const ledger = isLedger(spec);
      const entry = {
        index: this.#writer.declareMap(spec),
        spec: { ...spec },
        ledger,
        open: new Set<RecordingMap>(),
        carried: [],
      };
      this.#entries.set(spec.name, entry);
      return entry;
    }
    const { type, keySize, valueSize } = known.spec;
    if (spec.type !== type || spec.keySize !== keySize || spec.valueSize !== valueSize) {
      throw new InvalidValueError(
        `map "${spec.name}": recorded as ${mapTypeName(type)} with keys of ${keySize} and values of ${valueSize} bytes, ` +
          `now ${mapTypeName(spec.type)} with ${spec.keySize} and ${spec.valueSize}: begin another recording`,
      );
    }
    return known;
  }

  #sinkOf(entry: RecordedEntry): RecordingSink {
    return {
      batch: (batch, discarded) => {
        if (this.#closed) return;
        this.#writer.writeRecords(entry.index, this.#now(), batch, discarded);
        if (this.#clock - this.#snapshotAt >= SNAPSHOT_INTERVAL) this.#snapshot();
      },
      readerClosing: () => {
        if (!this.#closed) this.#snapshot();
      },
      mapClosing: (map) => {
        if (entry.ledger && !this.#closed) {
          this.#snapshot();
          entry.carried.push(readLedger(map));
        }
        entry.open.delete(map);
      },
    };
  }

  #snapshot(): void {
    this.#snapshotAt = this.#now();
    for (const { index, spec, ledger, open, carried } of this.#entries.values()) {
      if (!ledger || open.size === 0) continue;
      const values = [...carried, ...Array.from(open, readLedger)];
      this.#writer.writeSnapshot(index, this.#clock, new Uint8Array(spec.keySize), sumOfWords(values));
    }
  }

  /** The clock, kept from going back. */
  #now(): bigint {
    const clock = this.#clockSource();
    if (clock > this.#clock) this.#clock = clock;
    return this.#clock;
  }
}

/** The counters under key 0. */
function readLedger(map: RecordingMap): Uint8Array {
  const value = new Uint8Array(map.rawValueSize);
  map.lookupRaw(new Uint8Array(map.spec.keySize), value);
  return value;
}

/** The engine's clock from the monotonic clock of this process: an adjusted wall clock does not move it. */
function engineClock(clockOffset: bigint): () => bigint {
  const start = BigInt(Math.round(performance.timeOrigin * 1000)) * 1000n - clockOffset;
  return () => start + BigInt(Math.round(performance.now() * 1000)) * 1000n;
}
