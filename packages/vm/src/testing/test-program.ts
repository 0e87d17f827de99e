// SPDX-License-Identifier: Apache-2.0

import { type BpfMap, type LoadedProgram, NotSupportedError, type ProgramSpec, verdictName } from "@skep/ebpf";
import { contextLayout } from "../context/layout-for.ts";
import { VmMap } from "../map/vm-map.ts";
import { isValues } from "../run/input-rules.ts";
import { namedContext, rawRunOptions } from "../run/raw-run-options.ts";
import type { RedirectRecord } from "../run/redirect-record.ts";
import type { VmRunOptions, VmRunResult } from "../run/run-options.ts";
import { VmProgram } from "../vm-program.ts";

/** Where a program sent its packet, with the map by its name. */
export interface TestRedirect extends Omit<RedirectRecord, "map" | "socket"> {
  /** Name of the map that it went by, if it did. */
  readonly map: string | undefined;
}

/** Output of a run, with what a test asks about. */
export interface TestResult extends Omit<VmRunResult, "redirect"> {
  /** The program that ran. */
  readonly program: ProgramSpec;
  /** What it said, by name: `XDP_DROP`; a number in decimal where that has no name. */
  readonly verdict: string;
  /** The packet that went in. */
  readonly input: Uint8Array | undefined;
  /** Undefined when it sent the packet nowhere, and for engines that do not tell (`tellsRedirects`). */
  readonly redirect: TestRedirect | undefined;
  /** Whether the engine tells where packets are sent: `vm` does, the kernel does not. */
  readonly tellsRedirects: boolean;
}

/** A program under test. */
export class TestProgram {
  readonly loaded: LoadedProgram;
  readonly #maps: ReadonlyMap<string, BpfMap>;

  constructor(loaded: LoadedProgram, maps: ReadonlyMap<string, BpfMap>) {
    this.loaded = loaded;
    this.#maps = maps;
  }

  get spec(): ProgramSpec {
    return this.loaded.spec;
  }

  /**
   * Runs it once, or `repeat` times. `context` may name fields, on the kernel too: there those that BPF_PROG_RUN takes.
   * Throws VmFault, InvalidValueError; SystemCallError on the kernel.
   */
  run(options: VmRunOptions = {}): TestResult {
    const { program } = this.loaded;
    const vm = program instanceof VmProgram;
    const result = vm ? program.run(options) : this.#runElsewhere(options);
    const { redirect, ...rest } = result;
    return {
      ...rest,
      program: this.spec,
      verdict: verdictName(this.spec.type, result.returned),
      input: options.data,
      redirect: redirect === undefined ? undefined : { ...redirect, map: this.#nameOf(redirect.map) },
      tellsRedirects: vm,
    };
  }

  #runElsewhere(options: VmRunOptions): VmRunResult {
    const { type, expectedAttachType, section } = this.spec;
    if (this.loaded.program.run === undefined) throw new NotSupportedError(`running programs of section ${section}`);
    const { context, metadata } = options;
    if (metadata === undefined && !isValues(context)) {
      const { context: _values, ...raw } = options;
      return this.loaded.run(context === undefined ? raw : { ...raw, context });
    }
    const layout = contextLayout(type, expectedAttachType);
    const result = this.loaded.run(rawRunOptions(layout, options));
    if (!isValues(context) || result.context.length < layout.size) return result;
    return { ...result, values: namedContext(layout, result.context) };
  }

  #nameOf(address: number | undefined): string | undefined {
    if (address === undefined) return undefined;
    for (const [name, map] of this.#maps) if (map instanceof VmMap && map.address === address) return name;
    return undefined;
  }
}
