// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget } from "../attach-target.ts";
import type { BpfMap } from "../bpf-map.ts";
import type { Btf } from "../btf/btf.ts";
import type { Capabilities, Engine, Link, LoadableProgram, Program, TypesHandle } from "../engine.ts";
import { ClosedError, InvalidValueError, NotFoundError } from "../errors.ts";
import type { MapSpec } from "../map-spec.ts";
import { isPerCpu, isRecordMap, mapTypeName } from "../map-type.ts";
import type { RecordingHeader } from "./format.ts";
import { padded } from "./format.ts";
import { isLedger } from "./ledger-words.ts";
import { MemoryMap } from "./memory-map.ts";
import { PlayedLedger } from "./played-ledger.ts";
import { PlayedLink } from "./played-link.ts";
import { PlayedStream, type TimedBatch } from "./played-stream.ts";
import type { RecordedMap, Recording } from "./read-recording.ts";
import { type PlaybackOptions, Timeline } from "./timeline.ts";

/**
 * An engine that plays a recording: the streams of a workload deliver the recorded records at their recorded pace,
 * and everything after them runs as it does with a kernel. Programs are accepted and never run.
 *
 * The clock is moved so that a loop's first batch was delivered at the moment it is played; the rows of a loop keep
 * their recorded distances, whatever the speed. Playing begins when the first reader is opened. After the last
 * record of a recording that is not looped its readers are quiet, as those of a kernel where nothing happens.
 */
export class PlayerEngine implements Engine {
  readonly name = "recording";
  readonly capabilities: Capabilities = { recording: true, kernelTypes: false };
  /** Where and when the recording was made. */
  readonly header: RecordingHeader;
  readonly #recording: Recording;
  readonly #start: bigint;
  readonly #timeline: Timeline;
  readonly #maps = new Set<BpfMap>();
  #closed = false;

  /** Throws InvalidValueError for a speed that is not above 0 or a pause below 0. */
  constructor(recording: Recording, options: PlaybackOptions = {}) {
    const { speed = 1, loop } = options;
    if (!(speed > 0 && Number.isFinite(speed))) throw new InvalidValueError(`speed ${speed} is not above 0`);
    if (loop !== undefined && !(loop.pauseSeconds >= 0)) {
      throw new InvalidValueError(`a pause of ${loop.pauseSeconds} seconds is below 0`);
    }
    this.header = recording.header;
    this.#recording = recording;
    const clocks = recording.maps.flatMap((map) => map.batches.map((batch) => batch.clock));
    this.#start = clocks.reduce((first, clock) => (clock < first ? clock : first), clocks[0] ?? 0n);
    const end = clocks.reduce((last, clock) => (clock > last ? clock : last), this.#start);
    // Nothing to play again and again: a loop would only burn time.
    const playback = clocks.length === 0 ? {} : options;
    this.#timeline = new Timeline(this.#start, this.#positionOf(end), playback);
  }

  clockOffset(): bigint {
    this.#check();
    return this.#timeline.offset;
  }

  kernelTypes(): undefined {
    this.#check();
    return undefined;
  }

  loadTypes(_btf: Btf): undefined {
    this.#check();
    return undefined;
  }

  /**
   * Throws NotFoundError for a stream that was not recorded, and InvalidValueError for a ledger that was recorded
   * with another size: the object at hand is not the recorded one.
   */
  createMap(spec: MapSpec, _types: TypesHandle | undefined, btf: Btf | undefined): BpfMap {
    this.#check();
    const map = this.#makeMap(spec, btf);
    this.#maps.add(map);
    return map;
  }

  loadProgram(program: LoadableProgram): Program {
    this.#check();
    const close = () => undefined;
    return { name: program.spec.name, close, [Symbol.dispose]: close };
  }

  attach(_program: Program, target: AttachTarget): Link {
    this.#check();
    return new PlayedLink(target);
  }

  attachStructOps(map: BpfMap): Link {
    this.#check();
    return new PlayedLink({ structOps: map });
  }

  close(): void {
    this.#closed = true;
    for (const map of this.#maps) map.close();
    this.#maps.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #makeMap(spec: MapSpec, btf: Btf | undefined): BpfMap {
    const recorded = this.#recording.maps.find((map) => map.name === spec.name);
    if (isRecordMap(spec.type)) {
      if (recorded === undefined) {
        const streams = this.#recording.maps.filter(({ type }) => isRecordMap(type)).map((map) => map.name);
        throw new NotFoundError("recorded stream", spec.name, streams);
      }
      return new PlayedStream(spec, this.#recording.bytes, this.#batchesOf(recorded), this.#timeline);
    }
    if (recorded === undefined || !isLedger(spec)) return new MemoryMap(spec, btf, this.header.cpus);
    return this.#makeLedger(spec, btf, recorded);
  }

  #makeLedger(spec: MapSpec, btf: Btf | undefined, recorded: RecordedMap): BpfMap {
    if (recorded.type !== spec.type || recorded.valueSize !== spec.valueSize || recorded.keySize !== spec.keySize) {
      throw new InvalidValueError(
        `map "${spec.name}": ${mapTypeName(spec.type)} with values of ${spec.valueSize} bytes, ` +
          `recorded as ${mapTypeName(recorded.type)} with ${recorded.valueSize}`,
      );
    }
    const size = isPerCpu(spec.type) ? padded(spec.valueSize) * this.header.cpus : spec.valueSize;
    const values = recorded.snapshots.map(({ clock, value }) => {
      if (value.length !== size) {
        throw new InvalidValueError(`map "${spec.name}": ${value.length} bytes recorded as a value, ${size} wanted`);
      }
      return { at: this.#positionOf(clock), value };
    });
    const stream = this.#recording.maps.find((map) => isRecordMap(map.type) && `${map.name}_ledger` === spec.name);
    let records = 0;
    const played = stream?.batches.map((batch) => {
      records += batch.count + batch.discarded;
      return { at: this.#positionOf(batch.clock), records };
    });
    return new PlayedLedger(spec, btf, this.header.cpus, values, played, this.#timeline);
  }

  #batchesOf(map: RecordedMap): TimedBatch[] {
    return map.batches.map((batch) => ({ ...batch, at: this.#positionOf(batch.clock) }));
  }

  /** Recorded milliseconds from the first batch to a clock. */
  #positionOf(clock: bigint): number {
    return Number(clock - this.#start) / 1e6;
  }

  #check(): void {
    if (this.#closed) throw new ClosedError("the player of a recording");
  }
}
