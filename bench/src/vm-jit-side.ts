// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { type Collection, load, parseObject, type RunResult } from "@skep/ebpf";
import { KernelEngine } from "@skep/kernel";
import { isSystemCallError } from "@skep/linux";
import type { Measurement } from "./benchmark.ts";
import { packetCount, packetsOf, parts, requireIncrements, sumOfVerdicts } from "./vm-measure.ts";

/**
 * The programs in the kernel, which tells by itself what a run took. It has all of them but one: no helper there does
 * nothing, so `bpf_get_numa_node_id` stands for it, which reads a variable.
 */
export class JitSide implements Disposable {
  readonly #resources: DisposableStack;
  readonly #collection: Collection;
  readonly #packets: readonly Uint8Array[];

  constructor() {
    const object = parseObject(readFileSync(new URL("../bpf/vm-jit.bpf.o", import.meta.url)));
    using building = new DisposableStack();
    const collection = building.use(load(object, { engine: building.use(new KernelEngine()) }));
    this.#collection = collection;
    for (const name of ["prepare_buffer", "prepare_packets", "prepare_counters"]) {
      if (this.#run(name, 1, frame).returned !== 1) throw new Error(`${name} failed`);
    }
    this.#packets = packetsOf(collection);
    this.#resources = building.move();
  }

  /** Microseconds a run, and what the last returned. */
  compute(program: string, passes: number): Measurement {
    return uninterrupted(() => this.#compute(program, passes));
  }

  /** As `compute`, for the program that increments the counters. */
  increment(passes: number): Measurement {
    const counters = this.#collection.map<number, bigint>("counters");
    const runs = passes + (passes >> 2);
    return uninterrupted(() => requireIncrements(counters, runs, () => this.#compute("increment", passes)));
  }

  /** Nanoseconds a packet beyond what the kernel's own loop takes, as told by a program that does nothing. */
  parse(passes: number): Measurement {
    return uninterrupted(() => this.#parse(passes));
  }

  #compute(program: string, passes: number): Measurement {
    this.#run(program, passes >> 2, frame);
    let fastest = Number.POSITIVE_INFINITY;
    let checksum = 0;
    for (let part = 0; part < parts; part++) {
      const { duration, returned } = this.#run(program, passes / parts, frame);
      fastest = Math.min(fastest, duration);
      checksum = returned;
    }
    return { value: fastest / 1000, checksum };
  }

  #parse(passes: number): Measurement {
    const verdicts: number[] = [];
    let total = 0;
    for (const packet of this.#packets) {
      const { duration, returned } = this.#run("parse_packet", passes, packet);
      total += duration - this.#run("empty", passes, packet).duration;
      verdicts.push(returned);
    }
    return { value: total / packetCount, checksum: sumOfVerdicts(verdicts) };
  }

  #run(program: string, repeat: number, data: Uint8Array): RunResult {
    return this.#collection.program(program).run({ data, repeat: Math.max(repeat, 1) });
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }
}

/** For programs that look at no packet. */
const frame: Uint8Array = new Uint8Array(64);

const attempts = 20;

/** A signal, such as a child's end, cuts a repeated run short: then it is done again. */
function uninterrupted(measure: () => Measurement): Measurement {
  for (let attempt = 1; ; attempt++) {
    try {
      return measure();
    } catch (error) {
      if (attempt === attempts || !isSystemCallError(error, "EINTR")) throw error;
    }
  }
}
