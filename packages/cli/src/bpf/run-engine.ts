// SPDX-License-Identifier: Apache-2.0

import { type CollectionSpec, type Engine, Instructions, Opcode, PseudoCall } from "@skep/ebpf";
import { KernelEngine, TraceInstance } from "@skep/kernel";
import { VmEngine } from "@skep/vm";
import { parseTraceLine } from "./trace-line.ts";

/** What `--engine` takes. */
export const engineNames = ["vm", "kernel"] as const;

/** A name of an engine that runs programs. */
export type EngineName = (typeof engineNames)[number];

/** `bpf_trace_printk` and `bpf_trace_vprintk`. */
const prints: ReadonlySet<number> = new Set([6, 177]);

/** An engine, and what programs print in it. */
export class RunEngine implements Disposable {
  readonly engine: Engine;
  readonly #resources: DisposableStack;
  readonly #take: () => string[];

  /** Opens an engine to run programs of an object in. Throws what opening it throws. */
  constructor(name: EngineName, object: CollectionSpec) {
    using unwind = new DisposableStack();
    if (name === "vm") {
      let texts: string[] = [];
      this.engine = unwind.use(new VmEngine({ trace: (text) => texts.push(text) }));
      this.#take = () => {
        const taken = texts;
        texts = [];
        return taken.flatMap((text) => text.split("\n"));
      };
    } else {
      this.engine = unwind.use(new KernelEngine());
      // It takes rights of its own.
      const trace = canPrint(object) ? unwind.use(new TraceInstance()) : undefined;
      this.#take = () => trace?.lines().map((line) => parseTraceLine(line).text) ?? [];
    }
    this.#resources = unwind.move();
  }

  /** Lines that were printed since the last call, without empty ones. */
  printed(): string[] {
    return this.#take().filter((line) => line !== "");
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }
}

function canPrint(object: CollectionSpec): boolean {
  return [...object.programs.values()].some((program) => {
    const instructions = new Instructions(program.instructions, object.byteOrder);
    for (let i = 0; i < instructions.length; i++) {
      const helper = instructions.opcode(i) === Opcode.CALL && instructions.source(i) === PseudoCall.HELPER;
      if (helper && prints.has(instructions.immediate(i))) return true;
    }
    return false;
  });
}
