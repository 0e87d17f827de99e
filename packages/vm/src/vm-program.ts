// SPDX-License-Identifier: Apache-2.0

import {
  ClosedError,
  isRecordMap,
  NotSupportedError,
  type Program,
  type ProgramSpec,
  type SourceLines,
} from "@skep/ebpf";
import type { Code } from "./code/code.ts";
import { helperByNumber } from "./code/helper-types.ts";
import type { TranslatedModule } from "./code/module-writer.ts";
import { accessOf, type TracedModule, trapPlace, trapReason } from "./code/trap.ts";
import type { ContextLayout } from "./context/context-layout.ts";
import { callByNumber } from "./helper/call-by-number.ts";
import type { Helper } from "./helper/helper.ts";
import { type HelperImport, helperImport } from "./helper/helper-import.ts";
import { releaseLock } from "./helper/lock-helpers.ts";
import type { VmMap } from "./map/vm-map.ts";
import type { VmMemory } from "./memory/vm-memory.ts";
import { ProgramFrame } from "./program-frame.ts";
import type { PacketBatch } from "./run/packet-batch.ts";
import { ProgramInput } from "./run/program-input.ts";
import type { VmRunOptions, VmRunResult } from "./run/run-options.ts";
import { accessFault, VmFault, type VmFaultPlace } from "./vm-fault.ts";
import type { Worker } from "./worker.ts";

/** What an engine makes of a program. */
export interface TranslatedProgram {
  readonly spec: ProgramSpec;
  readonly code: Code;
  readonly translated: TranslatedModule;
  readonly module: WebAssembly.Module;
  /** The name of the module in stack traces. */
  readonly moduleName: string;
  readonly layout: ContextLayout | undefined;
  readonly lines: SourceLines | undefined;
  /** All helpers in JavaScript, for calls by a number that only the run knows. */
  readonly helpers: ReadonlyMap<number, Helper>;
  /** Instructions that a run may take; undefined for no limit. */
  readonly fuel: number | undefined;
  /** Index in the table of the entry; those of the functions whose address is taken follow. */
  readonly tableIndex: number;
  readonly loadTimes: LoadTimes;
}

/** What the engine's own part of loading a program took, in milliseconds; compiling the module, which WebAssembly does, comes after. */
export interface LoadTimes {
  readonly validate: number;
  readonly translate: number;
}

/** What a program needs of its engine. */
export interface ProgramHost {
  /** The map whose struct lies at an address. */
  mapAt(address: number): VmMap | undefined;
  /** Discards what this worker reserved in ring buffers and did not submit. */
  abandonRecords(): void;
  /** The program was closed. */
  released(): void;
}

/** The exports of a program's module. */
interface ProgramExports {
  readonly main: WebAssembly.ExportValue;
  readonly run: (r1: number, r2: number) => number;
  readonly batch?: (context: number, list: number, results: number, count: number) => void;
}

/** A program in an engine without a kernel. */
export class VmProgram implements Program {
  readonly name: string;
  /** What array maps of programs hold of it. */
  readonly tableIndex: number;
  readonly spec: ProgramSpec;
  readonly #worker: Worker;
  readonly #program: TranslatedProgram;
  readonly #exports: ProgramExports;
  readonly #traced: TracedModule;
  /** Maps with records that it may have sent. */
  readonly #records: readonly VmMap[];
  readonly #host: ProgramHost;
  #input: ProgramInput | undefined;
  #closed = false;

  /** Makes an instance of the program's module in a worker. */
  constructor(program: TranslatedProgram, worker: Worker, maps: ReadonlyMap<string, VmMap>, host: ProgramHost) {
    this.name = program.spec.name;
    this.spec = program.spec;
    this.tableIndex = program.tableIndex;
    this.#worker = worker;
    this.#program = program;
    this.#records = [...maps.values()].filter(({ spec }) => isRecordMap(spec.type));
    this.#host = host;
    const { translated } = program;
    const frame = new ProgramFrame(worker.frame, (callback, args) => this.#callBack(callback, args));
    const importOf = (helper: Helper): HelperImport => helperImport(helper, frame, (address) => host.mapAt(address));
    const helpers = translated.helpers.map((helper) =>
      helper === helperByNumber ? callByNumber(program.helpers, importOf) : importOf(helper).function,
    );
    // Its exports are what the module writer gave it.
    const exports = worker.instantiate(program.module, helpers as WebAssembly.ImportValue[]);
    this.#exports = exports as unknown as ProgramExports;
    worker.table.set(program.tableIndex, this.#exports.main as never);
    for (let i = 0; i < translated.addressTaken.length; i++) {
      worker.table.set(program.tableIndex + 1 + i, exports[`f${i}`] as never);
    }
    this.#traced = { name: program.moduleName, code: program.code, functions: translated.functions };
  }

  /** What validating and translating it took. */
  get loadTimes(): LoadTimes {
    return this.#program.loadTimes;
  }

  /** The memory of its engine, where batches of packets for it are laid out. */
  get memory(): VmMemory {
    return this.#worker.memory;
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Runs it once or `repeat` times on given input, as BPF_PROG_RUN does: `data` is a packet for types that take one, `context`
   * the bytes of their context or values of its fields. Throws InvalidValueError for input that the kernel would refuse, VmFault
   * when the program is ended, NotSupportedError for types without a context here.
   */
  run(options: VmRunOptions = {}): VmRunResult {
    this.#checkOpen();
    const { layout } = this.#program;
    if (layout === undefined) throw new NotSupportedError(`running programs of section ${this.spec.section}`);
    this.#input ??= new ProgramInput(this.#worker.room, layout);
    const input = this.#input;
    const repeat = Math.max(1, options.repeat ?? 1);
    let returned = 0;
    // As on the kernel: each run goes on with the packet and the context that the one before left.
    const context = input.prepare(options);
    const start = performance.now();
    for (let i = 0; i < repeat; i++) returned = this.call(context);
    return input.finish(options, returned, Math.round(((performance.now() - start) * 1e6) / repeat));
  }

  /**
   * Runs it with r1 and r2 as they are and returns the lower 32 bits of r0, unsigned: no copy, no check of the input. Throws
   * VmFault.
   */
  call(r1 = 0, r2 = 0): number {
    if (this.#closed) this.#checkOpen();
    const worker = this.#worker;
    if (worker.depth > 0) return this.#nested(r1, r2);
    worker.depth = 1;
    let returned: number;
    try {
      returned = this.#exports.run(r1, r2);
    } catch (error) {
      throw this.faultOf(error);
    }
    worker.depth = 0;
    this.#ended();
    return returned >>> 0;
  }

  /**
   * The program's WebAssembly function itself, for a loop that has no nanosecond to spare: r1 and r2 as they are, and the lower 32
   * bits of r0, signed. Whatever it throws must be handed to {@link VmProgram.faultOf} before the engine is used again. It tells no
   * reader of records, and must not be called within a run.
   */
  get entry(): (r1: number, r2: number) => number {
    this.#checkOpen();
    return this.#exports.run;
  }

  /** What {@link VmProgram.entry} threw as a VmFault with its place; the engine is ready for the next run. */
  faultOf(error: unknown): unknown {
    const worker = this.#worker;
    worker.depth = 0;
    worker.resetStack();
    const fault = this.#fault(error);
    this.#ended();
    return fault;
  }

  /** A run within a run: what it is given of the stack goes back to what it was. */
  #nested(r1: number, r2: number): number {
    const worker = this.#worker;
    const top = worker.stackTop.value;
    worker.depth++;
    try {
      return this.#exports.run(r1, r2) >>> 0;
    } catch (error) {
      worker.stackTop.value = top;
      throw this.#fault(error);
    } finally {
      worker.depth--;
    }
  }

  /** The outermost run is over: opens what it left locked, and shows the records that it sent. */
  #ended(): void {
    const worker = this.#worker;
    if (worker.state.lock !== 0) releaseLock(worker.memory, worker.state);
    if (worker.faulted) {
      worker.faulted = false;
      this.#host.abandonRecords();
    }
    for (const map of this.#records) map.notify();
  }

  /** Runs a function of the program by its address, as a run of its own: a timer's callback. Throws VmFault. */
  #callBack(address: number, args: readonly number[]): number {
    this.#checkOpen();
    const worker = this.#worker;
    const { fuel, stackTop } = worker;
    const [left, top] = [fuel.value, stackTop.value];
    fuel.value = BigInt(this.#program.fuel ?? 0);
    worker.depth++;
    try {
      return worker.call(address, args);
    } catch (error) {
      throw this.#fault(error);
    } finally {
      fuel.value = left;
      stackTop.value = top;
      if (--worker.depth === 0) this.#ended();
    }
  }

  /** All 64 bits of r0 of the run before. */
  get result(): bigint {
    return BigInt.asUintN(64, this.#worker.result.value);
  }

  /**
   * Runs it on every packet of a batch, in one call of WebAssembly. A fault ends the batch; `PacketBatch` tells what was done.
   * Throws NotSupportedError for types that take no packets.
   */
  batch(packets: PacketBatch): void {
    this.#checkOpen();
    const { batch } = this.#exports;
    const { layout } = this.#program;
    if (batch === undefined || layout === undefined) {
      throw new NotSupportedError(`batches of packets for programs of section ${this.spec.section}`);
    }
    const worker = this.#worker;
    packets.prepare(worker.room, layout);
    worker.depth++;
    try {
      batch(worker.room.context, packets.list, packets.results, packets.count);
    } catch (error) {
      packets.interrupted(worker.room, layout);
      worker.resetStack();
      throw this.#fault(error);
    } finally {
      if (--worker.depth === 0) this.#ended();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.released();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError(`program "${this.name}"`);
  }

  #fault(error: unknown): unknown {
    this.#worker.faulted = true;
    if (!(error instanceof Error)) return error;
    const found = trapPlace(this.#traced, error);
    const { instruction } = found;
    const place: VmFaultPlace = {
      program: this.name,
      instruction,
      source: instruction === undefined ? undefined : this.#program.lines?.of(instruction),
    };
    if (error instanceof VmFault) return error.at(place);
    const trap = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
    if (!trap) return error;
    const reason = trapReason(this.#traced, error, found);
    const access = instruction === undefined ? undefined : accessOf(this.#traced, instruction);
    // The translator's own checks leave the address; WebAssembly's do not.
    if (reason === "region") {
      const address = BigInt.asUintN(64, this.#worker.result.value);
      if (access !== undefined) return accessFault(this.#worker.memory, access.access, address, access.size).at(place);
      const what = `a helper was given memory at 0x${address.toString(16)} that is not the program's`;
      return new VmFault(reason, what, { place, address, cause: error });
    }
    return new VmFault(reason, whatHappened[reason], { place, cause: error });
  }
}

const whatHappened: Readonly<Record<VmFault["reason"], string>> = {
  memory: "an access to an address where there is no memory",
  region: "an access to memory that is not the program's to touch",
  alignment: "an atomic access to an address that is no multiple of its size",
  fuel: "it took more steps than a run may take",
  depth: "calls within calls are too deep",
  call: "a call of what is no function",
  helper: "a helper failed",
};
