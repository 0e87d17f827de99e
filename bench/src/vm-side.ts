// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { type Collection, load, parseObject } from "@skep/ebpf";
import { type HostHelper, PacketBatch, VmEngine, VmProgram } from "@skep/vm";
import type { Measurement } from "./benchmark.ts";
import {
  type CallLoop,
  callLoop,
  packetCount,
  packetsOf,
  requireIncrements,
  sumOfVerdicts,
  timed,
} from "./vm-measure.ts";

/** sizeof(struct xdp_md). */
const contextSize = 24;

/** What an engine is to check while its programs run. */
export interface VmChecks {
  readonly fuel: number | false;
  readonly regions: boolean;
}

/** `bench_empty_helper` of bench/bpf/vm.bpf.c. */
const emptyHelper: HostHelper = {
  id: 0x1000,
  name: "bench_empty_helper",
  parameters: ["u32"],
  result: "u32",
  call: () => 0,
};

/** The programs in a userspace engine of its own. */
export class VmSide implements Disposable {
  readonly #resources: DisposableStack;
  readonly #collection: Collection;
  readonly #contexts: Uint32Array;
  readonly #verdicts: Uint32Array = new Uint32Array(packetCount);
  readonly #batch: PacketBatch;
  readonly #loops = new Map<string, CallLoop>();

  constructor({ fuel, regions }: VmChecks) {
    const object = parseObject(readFileSync(new URL("../bpf/vm.bpf.o", import.meta.url)));
    using building = new DisposableStack();
    const engine = building.use(new VmEngine({ fuel, regions, helpers: [emptyHelper] }));
    this.#collection = building.use(load(object, { engine }));
    for (const name of ["prepare_buffer", "prepare_packets", "prepare_counters"]) {
      if (this.#program(name).call() !== 1) throw new Error(`${name} failed`);
    }
    const first = this.#collection.variable<number>("first_context").get();
    this.#contexts = new Uint32Array(packetCount).map((_, i) => first + i * contextSize);
    this.#batch = building.use(new PacketBatch(engine.memory, packetsOf(this.#collection)));
    this.#resources = building.move();
  }

  /** Microseconds a run, and what the last returned. */
  compute(program: string, passes: number): Measurement {
    const loaded = this.#program(program);
    return timed(passes, 1000, () => loaded.call());
  }

  /** As `compute`, for the program that increments the counters. */
  increment(passes: number): Measurement {
    const counters = this.#collection.map<number, bigint>("counters");
    return requireIncrements(counters, passes + (passes >> 2), () => this.compute("increment", passes));
  }

  /** Nanoseconds a packet, each of them by a call of its own. */
  parseSingly(passes: number): Measurement {
    return this.#callEach("parse_packet", passes);
  }

  /** Nanoseconds a packet, all of them by one call. */
  parseBatch(passes: number): Measurement {
    const program = this.#program("parse_packet");
    const batch = this.#batch;
    return timed(passes, packetCount, () => {
      program.batch(batch);
      return sumOfVerdicts(batch.returned);
    });
  }

  /** Nanoseconds a call of a program that does nothing. */
  callEmpty(passes: number): Measurement {
    return this.#callEach("empty", passes);
  }

  #callEach(name: string, passes: number): Measurement {
    const { entry } = this.#program(name);
    const contexts = this.#contexts;
    const verdicts = this.#verdicts;
    let loop = this.#loops.get(name);
    if (loop === undefined) {
      loop = callLoop();
      this.#loops.set(name, loop);
    }
    const run = loop;
    return timed(passes, packetCount, () => {
      run(entry, contexts, verdicts);
      return sumOfVerdicts(verdicts);
    });
  }

  #program(name: string): VmProgram {
    const { program } = this.#collection.program(name);
    if (!(program instanceof VmProgram)) throw new Error(`program "${name}" is not the engine's own`);
    return program;
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }
}
