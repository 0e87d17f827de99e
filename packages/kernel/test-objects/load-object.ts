// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import {
  type Collection,
  type CollectionSpec,
  type LoadableProgram,
  type LoadOptions,
  load,
  parseObject,
} from "@skep/ebpf";
import { KernelEngine } from "../src/kernel-engine.ts";
import { KernelMap } from "../src/kernel-map.ts";
import type { KernelProgram } from "../src/kernel-program.ts";

/** An engine that remembers its programs, so that tests can run them. */
class RememberingEngine extends KernelEngine {
  readonly programs: Map<string, KernelProgram> = new Map();

  override loadProgram(program: LoadableProgram): KernelProgram {
    const loaded = super.loadProgram(program);
    this.programs.set(loaded.name, loaded);
    return loaded;
  }
}

/** A loaded object with what tests need beside the collection. */
export interface LoadedObject extends Disposable {
  readonly collection: Collection;
  /** Runs a socket filter so many times on an empty packet and returns what the last run returned. */
  run(program: string, times?: number): number;
  program(name: string): KernelProgram;
  kernelMap<K = unknown, V = unknown>(name: string): KernelMap<K, V>;
  variable(name: string): bigint;
}

/** The smallest packet that BPF_PROG_TEST_RUN takes. */
const packet = new Uint8Array(64);

/** Reads an object of this folder. */
export function objectSpec(name: string): CollectionSpec {
  return parseObject(readFileSync(new URL(`./${name}.bpf.o`, import.meta.url)));
}

/** Loads an object of this folder into the kernel. */
export function loadObject(
  name: string,
  options: Omit<LoadOptions, "engine"> = {},
  spec: CollectionSpec = objectSpec(name),
): LoadedObject {
  const engine = new RememberingEngine();
  const collection = load(spec, { ...options, engine });
  const program = (wanted: string): KernelProgram => {
    const found = engine.programs.get(wanted);
    if (found === undefined) throw new Error(`no program ${wanted}`);
    return found;
  };
  return {
    collection,
    program,
    run: (wanted, times = 1) => {
      let returned = 0;
      // One by one: a signal would end a repeated run early.
      for (let i = 0; i < times; i++) returned = program(wanted).run({ data: packet }).returned;
      return returned;
    },
    kernelMap: <K, V>(wanted: string) => {
      const map = collection.map(wanted);
      if (!(map instanceof KernelMap)) throw new Error(`map ${wanted} is not the kernel's`);
      return map as KernelMap<K, V>;
    },
    variable: (wanted) => collection.variable(wanted).get() as bigint,
    [Symbol.dispose]: () => collection[Symbol.dispose](),
  };
}

/** This process's descriptors of BPF objects, perf events and the like, sorted; without files, pipes and sockets. */
export function kernelDescriptors(): string[] {
  const targets: string[] = [];
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      targets.push(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      // The descriptor of the directory itself is closed by now.
    }
  }
  return targets.filter((target) => target.startsWith("anon_inode:")).sort();
}
